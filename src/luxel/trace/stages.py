"""The functions of `luxel.trace.segment` as they are, or compiled.

Compiled each by itself, since then what lies in memory between them is ours to decide: the loops over objects and
lights read a few numbers a lane and keep everything else in registers, and all the rest is one loop over lanes.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float, Int32, Int64
from torch import Tensor
from torch._dynamo import mark_dynamic

from luxel.geometry.vectors import Vector
from luxel.trace import segment
from luxel.trace.blocks import LANES
from luxel.trace.segment import Blocks, Paths, Views

COMPILERS = ("g++", "clang++", "c++")
# Inductor's limits on what it fuses: none on how much, and in loops over objects nothing goes to memory.
FUSED = {"max_fusion_size": 2000, "assert_indirect_indexing": False}
IN_REGISTERS = FUSED | {
    "realize_opcount_threshold": 100_000,
    "realize_reads_threshold": 100_000,
    "realize_acc_reads_threshold": 100_000,
}


@dataclass(frozen=True)
class Stages:
    """What happens to paths, in the order in which it does."""

    camera_rays: Callable[..., Any] = segment.camera_rays
    meet: Callable[..., Any] = segment.meet
    begin: Callable[..., Any] = segment.begin
    scatter: Callable[..., Any] = segment.scatter
    draw: Callable[..., Any] = segment.draw
    aim: Callable[..., Any] = segment.aim
    land: Callable[..., Any] = segment.land

    def advance(
        self,
        blocks: Blocks,
        paths: Paths,
        source: Int64[Tensor, "blocks lanes"],
        pixel: Int32[Tensor, "rays"],
        sample: Int32[Tensor, "rays"],
        depth: Int32[Tensor, ""],
    ) -> tuple[Paths, Float[Tensor, "3 blocks lanes"]]:
        """Follow the paths of the lanes `source` over one more segment; also the light that it finds.

        Where the source is negative there is no path; `depth` is the number of segments so far, and pixel and
        sample are those of each ray that a path began as.
        """
        surface, scattered = self.scatter(blocks, paths, source, pixel, sample, depth)
        if not blocks.light_items.shape[1]:
            (met,) = self.meet(blocks, surface.point, [scattered.direction], surface.item)
            return self.land(blocks, surface, scattered, met, None)
        drawn = self.draw(blocks, surface.viewpoint(), surface.random.x)
        aimed = self.aim(blocks, surface, drawn)
        met, seen = self.meet(blocks, surface.point, [scattered.direction, aimed.direction], surface.item)
        return self.land(blocks, surface, scattered, met, (drawn, aimed, seen))


EAGER = Stages()


@lru_cache
def compiled_stages(device: str) -> Stages:
    """Compiled for any number of scenes, objects, lights and rays; eager on a CPU where no C++ compiler is found.

    Nothing is compiled before its first use, and then once for all.
    """
    if torch.device(device).type == "cpu" and not any(shutil.which(name) for name in COMPILERS):
        return EAGER
    compiled = {}
    for field in fields(Stages):
        options = IN_REGISTERS if field.name in ("meet", "draw") else FUSED
        compiled[field.name] = _Compiled(getattr(segment, field.name), options if device == "cpu" else {})
    return Stages(**compiled)


class _Compiled:
    """A function of segments, compiled with every size dynamic that is not one of the layout's constants."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self._function = torch.compile(function, dynamic=False, fullgraph=True, options=options)

    def __call__(self, *arguments: Any) -> Any:
        for argument in arguments:
            _mark(argument)
        # Sizes that happen to be equal at first would otherwise be taken for the same.
        with torch.fx.experimental._config.patch(use_duck_shape=False):  # type: ignore[attr-defined]
            return self._function(*arguments)


def _mark(argument: Any) -> None:
    """Mark the sizes that vary: of what a block reads of its scene the first, and the numbers of objects and of lights;
    of lanes in blocks the last but one; of flat lanes, which are more than one block's, the last."""
    if isinstance(argument, Blocks | Views):
        for tensor in argument:
            mark_dynamic(tensor, 0)
        if isinstance(argument, Blocks):
            for tensor in (argument.shapes, argument.real, argument.lights, argument.light_items):
                mark_dynamic(tensor, [1] if tensor.shape[1] else [])
    elif isinstance(argument, Vector):
        _mark((argument.x, argument.y, argument.z))
    elif isinstance(argument, tuple | list):
        for part in argument:
            _mark(part)
    elif isinstance(argument, Tensor) and argument.dim():
        mark_dynamic(argument, argument.dim() - (2 if argument.dim() > 1 and argument.shape[-1] == LANES else 1))
