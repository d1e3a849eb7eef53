"""What a variant changes: fields of its configuration, and parameters of its network by the part that holds them."""

from dataclasses import dataclass
from functools import cache
from typing import get_args

import torch

from luxel.core.scene_batch import SceneBatch
from luxel.experiments import EXPERIMENTS, Scale
from luxel.models.model_types import model_of
from luxel.scene import Varied
from luxel.train.run_folder import differences

SCALES = get_args(Scale)


def changed(name: str, scale: str) -> list[str]:
    """Dotted fields in which the experiment differs from its base."""
    base = EXPERIMENTS[EXPERIMENTS[name].base]
    fields = differences(base.make(scale).to_json(), EXPERIMENTS[name].make(scale).to_json())
    return [field for field, _, _ in fields]


@cache
def parameters(name: str) -> dict[str, tuple[int, ...]]:
    """Shapes of the tiny network's parameters, by name."""
    model = model_of(EXPERIMENTS[name].make("tiny").model)
    return {path: tuple(parameter.shape) for path, parameter in model.named_parameters()}


def part(path: str) -> str:
    """The part of the network that a parameter belongs to."""
    names = path.split(".")
    return names[2] if names[0] == "stages" else names[0]


def effect(name: str) -> tuple[set[str], set[str], set[str]]:
    """Parts that gain parameters, that lose some, and that have some of another shape, against the base."""
    own, base = parameters(name), parameters(EXPERIMENTS[name].base)
    gained, lost = own.keys() - base.keys(), base.keys() - own.keys()
    reshaped = {path for path in own.keys() & base.keys() if own[path] != base[path]}
    return {part(p) for p in gained}, {part(p) for p in lost}, {part(p) for p in reshaped}


def computes_otherwise(name: str) -> bool:
    """Whether, with its base's weights, the network in training makes another image of the same scenes."""
    scenes = SceneBatch.of([Varied(max_objects=6)(0, index) for index in range(3)])
    images = []
    for experiment in (EXPERIMENTS[EXPERIMENTS[name].base], EXPERIMENTS[name]):
        torch.manual_seed(0)
        model = model_of(experiment.make("tiny").model)
        torch.manual_seed(1)  # images→sequence and gates must be open to make a difference
        for path, parameter in model.named_parameters():
            if path.endswith(("weigh.gain", "weigh.bias", "gates")):
                torch.nn.init.normal_(parameter)
        images.append(model(scenes))
    return not torch.allclose(*images, rtol=1e-3)


def everywhere(*fields: str, more: tuple[str, ...] = ()) -> str:
    """These fields of the attention of every part that the standard run has, and of `more`."""
    parts = ("base_transformer", "start", "seq_to_image", *more)
    return " ".join(f"model.{name}.attention.{field}" for name in parts for field in fields)


@dataclass(frozen=True)
class Run:
    """What a variant is to change of which base, names separated by blanks."""

    name: str
    base: str
    fields: str
    """Of the configuration."""
    gained: str = ""
    """Parts of the network with parameters that the base's do not have."""
    lost: str = ""
    """Parts that lack parameters of the base's."""
    reshaped: str = ""
    """Parts with parameters of another shape."""

    def check(self) -> None:
        """Assert all of it, the fields at every scale."""
        assert EXPERIMENTS[self.name].base == self.base
        for scale in SCALES:
            assert changed(self.name, scale) == self.fields.split()
        assert effect(self.name) == tuple(set(parts.split()) for parts in (self.gained, self.lost, self.reshaped))


def check_group(runs: list[Run]) -> None:
    """Assert that these are all the variants of their group."""
    names = {run.name for run in runs}
    (group,) = {EXPERIMENTS[name].group for name in names}
    assert names == {entry.name for entry in EXPERIMENTS.values() if entry.group == group and entry.base}
