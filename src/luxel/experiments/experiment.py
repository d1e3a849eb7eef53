"""What an experiment is: one whole configuration, and its registry under the name it is run by."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from inspect import cleandoc
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter

from luxel import InputError
from luxel.configuration import did_you_mean, shortened
from luxel.data.generate_settings import FORMER_TRACERS, GenerateSettings
from luxel.data.stream import StreamSettings
from luxel.models.image_model import ImageModelConfig, scaled
from luxel.models.model_types import ModelConfig
from luxel.scene.registry import distribution_type, parameters
from luxel.train.train_config import TrainConfig

Scale: TypeAlias = Literal["tiny", "small", "long", "medium", "full"]
"""From the smallest to the log's own; see `luxel.experiments.base`."""


@dataclass(frozen=True)
class Experiment:
    """Everything that decides a run's result: the network, the data it learns from, and how it learns."""

    model: ModelConfig
    data: GenerateSettings
    train: TrainConfig
    stream: StreamSettings | None = None
    """Training on fresh scenes like those of `data`, whose test split is the test set; None: on its training split."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    """A field that this version does not know means something that it cannot do."""

    @property
    def image_model(self) -> ImageModelConfig:
        """The network's configuration, for what only an image model has. Raises TypeError if it is another's."""
        if not isinstance(self.model, ImageModelConfig):
            raise TypeError(f"{type(self.model).__name__} is not an image model's configuration")
        return self.model

    def to_json(self) -> dict[str, Any]:
        """The configuration as plain JSON values."""
        return _ADAPTER.dump_python(self, mode="json")

    @staticmethod
    def from_json(values: dict[str, Any]) -> "Experiment":
        """The experiment that `to_json` wrote, in today's words or former ones. Raises ValidationError otherwise."""
        return _ADAPTER.validate_python(migrated(values))


_ADAPTER = TypeAdapter(Experiment)


def migrated(values: Any) -> Any:
    """What `to_json` wrote at some time, as it would be written today.

    Data sets were Mitsuba's while no tracer was named. The path tracer was called torch, or torch_compiled; a stream
    said which of them in `compiled`. No scenes were for validation.
    """
    if not isinstance(values, dict):
        return values
    now, data, stream = dict(values), values.get("data"), values.get("stream")
    if isinstance(data, dict):
        tracer = data.get("tracer", "mitsuba")
        now["data"] = {"val_share": 0.0, **data, "tracer": "path" if tracer in FORMER_TRACERS else tracer}
    if isinstance(stream, dict):
        now["stream"] = {name: value for name, value in stream.items() if name != "compiled"}
    return now


def with_model(run: Experiment, **changes: Any) -> Experiment:
    """The experiment with these fields of its network changed."""
    return replace(run, model=replace(run.model, **changes))


def with_part(run: Experiment, part: str, **changes: Any) -> Experiment:
    """The experiment with these fields of one part of its image model changed, which must be there."""
    return with_model(run, **{part: replace(getattr(run.image_model, part), **changes)})


def with_generator(run: Experiment, **changes: Any) -> Experiment:
    """The experiment with these fields of its network's image side changed."""
    return with_part(run, "generator", **changes)


def with_size(run: Experiment, **factors: float) -> Experiment:
    """The experiment with its image model's width, depth or sequence times a factor, see `scaled`."""
    return replace(run, model=scaled(run.image_model, **factors))


def with_data(run: Experiment, **changes: Any) -> Experiment:
    """The experiment with these fields of its data set changed."""
    return replace(run, data=replace(run.data, **changes))


def with_stream(run: Experiment, **changes: Any) -> Experiment:
    """The experiment on fresh scenes, with these fields of its stream changed."""
    return replace(run, stream=replace(run.stream or StreamSettings(), **changes))


def with_distribution(run: Experiment, name: str) -> Experiment:
    """The experiment on scenes of the distribution of this name, with the fields that both have as they are.

    Raises InputError for a name that there is not.
    """
    kind = distribution_type(name)
    known = {field.name for field in fields(kind)}
    alike = {field: value for field, value in parameters(run.data.distribution).items() if field in known}
    return with_data(run, distribution=kind(**alike))


def with_train(run: Experiment, **changes: Any) -> Experiment:
    """The experiment with these fields of its training changed."""
    return replace(run, train=replace(run.train, **changes))


def with_optim(run: Experiment, **changes: Any) -> Experiment:
    """The experiment with these fields of its optimisation changed."""
    return with_train(run, optim=replace(run.train.optim, **changes))


def with_schedule(run: Experiment, **changes: Any) -> Experiment:
    """The experiment with these fields of its learning-rate schedule changed."""
    return with_optim(run, schedule=replace(run.train.optim.schedule, **changes))


def with_attention(run: Experiment, **changes: Any) -> Experiment:
    """The experiment with these fields of every attention between objects and image changed."""
    parts = ("base_transformer", "start", "seq_to_image", "image_to_seq", "sequence_blocks")
    there = {name: part for name in parts if (part := getattr(run.image_model, name)) is not None}
    changed = {name: replace(part, attention=replace(part.attention, **changes)) for name, part in there.items()}
    return with_model(run, **changed)


@dataclass(frozen=True)
class Entry:
    """An experiment's place in the registry: its group is the log's folder, its function makes it."""

    name: str
    group: str
    date: str
    """Of the log's entry that the experiment is from."""
    base: str | None
    """The experiment that it changes one thing of."""
    description: str
    """The function's docstring: what the log says of the run."""
    make: Callable[[Scale], Experiment]

    @property
    def summary(self) -> str:
        """The docstring's first line."""
        return self.description.splitlines()[0]


EXPERIMENTS: dict[str, Entry] = {}
Root: TypeAlias = Callable[[Scale], Experiment]
Change: TypeAlias = Callable[[Experiment], Experiment]


def experiment(group: str, date: str) -> Callable[[Root], Root]:
    """Register the decorated function, which makes a whole experiment, under its own name."""

    def register(make: Root) -> Root:
        enter(make, group, date, None, make)
        return make

    return register


def variant(base: Root | Change, group: str, date: str) -> Callable[[Change], Change]:
    """Register the decorated function, which changes one thing of the experiment `base`, under its own name."""
    entry = EXPERIMENTS[base.__name__]

    def register(change: Change) -> Change:
        enter(change, group, date, entry.name, lambda scale: change(entry.make(scale)))
        return change

    return register


def enter(function: Root | Change, group: str, date: str, base: str | None, make: Root) -> None:
    """Put an experiment into the registry."""
    name = function.__name__
    if name in EXPERIMENTS:
        raise ValueError(f"two experiments are called {name}")
    EXPERIMENTS[name] = Entry(name, group, date, base, cleandoc(function.__doc__ or ""), make)


def group_of(name: str) -> list[str]:
    """The experiments of a group, or the one of this name. Raises InputError for neither."""
    if name in EXPERIMENTS:
        return [name]
    members = [entry.name for entry in EXPERIMENTS.values() if entry.group == name]
    if not members:
        known = [*EXPERIMENTS, *{entry.group: None for entry in EXPERIMENTS.values()}]
        raise InputError(
            f"{shortened(name)} is neither an experiment nor a group, nor a run folder "
            f"(`luxel experiments list` lists them){did_you_mean(name, known, 3)}"
        )
    return members
