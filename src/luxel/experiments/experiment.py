"""What an experiment is: one whole configuration, and its registry under the name it is run by."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter

from luxel.data.generate import GenerateSettings
from luxel.models.image_model import ImageModelConfig
from luxel.train.loop import TrainConfig

Scale: TypeAlias = Literal["tiny", "small", "full"]


@dataclass(frozen=True)
class Experiment:
    """Everything that decides a run's result: the network, the data it learns from, and how it learns."""

    model: ImageModelConfig
    data: GenerateSettings
    train: TrainConfig

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    """A field that this version does not know means something that it cannot do."""

    def to_json(self) -> dict[str, Any]:
        """The configuration as plain JSON values."""
        return _ADAPTER.dump_python(self, mode="json")

    @staticmethod
    def from_json(values: dict[str, Any]) -> "Experiment":
        """The experiment that `to_json` wrote. Raises pydantic's ValidationError on anything else."""
        return _ADAPTER.validate_python(values)


_ADAPTER = TypeAdapter(Experiment)


@dataclass(frozen=True)
class Entry:
    """An experiment's place in the registry: its group is the log's folder, its function makes it."""

    name: str
    group: str
    make: Callable[[Scale], Experiment]

    @property
    def description(self) -> str:
        """The function's docstring: what the log says of the run, and its date."""
        return cleandoc(self.make.__doc__ or "")

    @property
    def summary(self) -> str:
        """The docstring's first line."""
        return self.description.splitlines()[0]


EXPERIMENTS: dict[str, Entry] = {}


def experiment(group: str) -> Callable[[Callable[[Scale], Experiment]], Callable[[Scale], Experiment]]:
    """Register the decorated function under its own name."""

    def register(make: Callable[[Scale], Experiment]) -> Callable[[Scale], Experiment]:
        name = make.__name__
        if name in EXPERIMENTS:
            raise ValueError(f"two experiments are called {name}")
        EXPERIMENTS[name] = Entry(name, group, make)
        return make

    return register
