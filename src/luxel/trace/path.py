"""A path tracer for batches of scenes in PyTorch: the Tracer whose light needs no bottleneck.

The estimator is Mitsuba's `path` (Kajiya 1986; Veach 1997, ch. 9): at every surface a direction towards a
light and one from the BSDF, combined by the power heuristic; the constant background is found by BSDF samples
alone, which follow it well. Depth counts segments up to the light: 1 sees lights, 2 is direct light.

Shapes: rays are [component, scenes, lanes]. Paths lie in blocks (`luxel.trace.blocks`), which close up after each
segment; what is done to a block in a segment is `luxel.trace.segment`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import torch
from jaxtyping import Float, Float32, Float64, Int32
from torch import Tensor

import luxel
from luxel import InputError
from luxel.geometry.intersect import NOTHING, Nearest
from luxel.geometry.vectors import Vector
from luxel.scene.description import Scene
from luxel.trace.blocks import LANES, blocked, compacted, whole
from luxel.trace.packed import Packed, pack
from luxel.trace.segment import Paths, Views, blocks_of
from luxel.trace.stages import EAGER, Stages, compiled_stages
from luxel.trace.tracer import Radiance

CPU_RAYS = 1 << 15  # at once in eager mode: intermediate results stay in the cache
COMPILED_RAYS = 1 << 18  # at once: a call's fixed cost is small beside it
CUDA_RAYS = 1 << 20  # at once, enough to fill a GPU
BYTES_A_RAY, BYTES_AN_OBJECT = 1024, 128  # of intermediate results, the latter for every object


class Estimate(NamedTuple):
    """Radiance along rays, and the estimated variance of that mean (infinite for one path)."""

    mean: Float32[Tensor, "batch rays 3"]
    variance: Float32[Tensor, "batch rays 3"]


@dataclass(frozen=True)
class PathTracer:
    """The batched path tracer as a Tracer, on any device of torch's.

    `max_depth` counts path segments up to the light: 2 is direct light. `rays` bounds how many are traced at
    once, and so the memory; 0 goes by the device. `compiled` is for long work: it traces some twelve times as fast,
    after compiling for minutes, or starting for tens of seconds where PyTorch's cache has the result. Without a C++
    compiler it is eager all the same.
    """

    max_depth: int = 6
    device: str = "cpu"
    rays: int = 0
    compiled: bool = False

    def __post_init__(self) -> None:
        if self.max_depth < 1:
            raise InputError(f"max_depth is {self.max_depth}, must be at least 1, which sees lights alone")

    @property
    def renderer(self) -> str:
        """Name, versions and device, for manifests and reports."""
        kind = " compiled" if self.compiled else ""
        return f"luxel {luxel.__version__} torch {torch.__version__} {self.device}{kind}"

    def trace(self, scenes: Sequence[Scene], width: int, height: int, spp: int, seed: int) -> Radiance:
        """Trace every scene with `spp` paths a pixel; the variance is that of the paths, over spp.

        An image's paths depend on its own scene alone; the last bit of their sum may depend on what is traced
        beside it. Raises InputError if `spp` or a side is less than 1.
        """
        if width < 1 or height < 1:
            raise InputError(f"width is {width} and height {height}: both must be at least 1")

        def rays(packed: Packed, members: list[int], pixel: Tensor, sample: Tensor) -> Float[Tensor, "6 scenes lanes"]:
            return camera_rays(packed, pixel, sample, width, height, self._stages())

        mean, variance = self._estimate(scenes, width * height, spp, seed, rays)
        shape = (len(scenes), height, width, 3)
        return Radiance(mean.reshape(shape).cpu().numpy(), variance.reshape(shape).cpu().numpy(), spp)

    def trace_rays(
        self,
        scenes: Sequence[Scene],
        origins: Float[Tensor, "batch rays 3"],
        directions: Float[Tensor, "batch rays 3"],
        spp: int,
        seed: int = 0,
    ) -> Estimate:
        """Radiance that arrives along rays of their own in each scene, from `spp` paths a ray.

        Directions may have any length. The result is on this tracer's device. Raises InputError for no rays, or rows
        that are not as many as the scenes, and if `spp` is less than 1.
        """
        if len(origins) != len(scenes) or not origins.shape[1]:
            raise InputError(
                f"origins are {list(origins.shape)} for {len(scenes)} scenes: give a row of at least one ray to each"
            )
        origins = origins.to(self.device, torch.float32)
        directions = torch.nn.functional.normalize(directions.to(self.device, torch.float32), dim=-1)
        both = torch.cat([origins, directions], dim=-1)

        def rays(packed: Packed, members: list[int], pixel: Tensor, sample: Tensor) -> Float[Tensor, "6 scenes lanes"]:
            index = pixel.long()[..., None].expand(*pixel.shape, 6)
            return both[members].gather(1, index).movedim(-1, 0)

        return self._estimate(scenes, origins.shape[1], spp, seed, rays)

    @torch.no_grad()
    def _estimate(self, scenes: Sequence[Scene], count: int, spp: int, seed: int, rays: "_Rays") -> Estimate:
        """Mean and variance over `spp` paths for each of `count` rays in every scene."""
        if spp < 1:
            raise InputError(f"spp is {spp}, must be at least 1")
        mean = torch.empty(len(scenes), count, 3, device=self.device)
        variance = torch.empty_like(mean)
        for members in self._groups(scenes, count, spp):
            packed = pack([scenes[member] for member in members], seed, torch.device(self.device))
            budget = self._budget(packed.real.shape[1])
            for pixels in torch.arange(count, device=self.device).split(budget):
                moments = Moments.zero((3, len(members), len(pixels)), self.device)
                batch = max(1, budget // (len(members) * len(pixels)))
                for samples in torch.arange(spp, device=self.device).split(batch):
                    pixel = pixels.int().repeat(len(samples)).expand(len(members), -1)
                    sample = samples.int().repeat_interleave(len(pixels)).expand(len(members), -1)
                    started = rays(packed, members, pixel, sample)
                    light = radiance(packed, started, pixel, sample, self.max_depth, self._stages())
                    moments = moments.updated(light.unflatten(2, (len(samples), len(pixels))))
                mean[members, pixels[0] : pixels[-1] + 1] = moments.mean.movedim(0, -1).float()
                variance[members, pixels[0] : pixels[-1] + 1] = moments.variance().movedim(0, -1).float()
        return Estimate(mean, variance)

    def _groups(self, scenes: Sequence[Scene], count: int, spp: int) -> Iterator[list[int]]:
        """Numbers of scenes with lights and of those without, each by the number of objects, as many as fit."""

        def is_lit(number: int) -> bool:
            return any(item.material.is_emissive for item in scenes[number].objects)

        order = sorted(range(len(scenes)), key=lambda number: len(scenes[number].objects))
        for kind in (True, False):
            members = [number for number in order if is_lit(number) == kind]
            while members:
                objects = len(scenes[members[0]].objects)
                size = max(1, self._budget(objects) // (count * spp))
                yield members[:size]
                members = members[size:]

    def _budget(self, objects: int) -> int:
        return ray_budget(self.device, self.rays, objects, self._stages() is not EAGER)

    def _stages(self) -> Stages:
        return compiled_stages(self.device) if self.compiled else EAGER


def ray_budget(device: str, rays: int, objects: int, compiled: bool) -> int:
    """How many rays to trace at once in scenes of so many objects: `rays`, or by the device if it is 0."""
    if rays:
        return rays
    if torch.device(device).type != "cuda":
        return COMPILED_RAYS if compiled else CPU_RAYS
    free, _ = torch.cuda.mem_get_info(device)
    return max(1024, min(CUDA_RAYS, int(free * 0.5) // (BYTES_A_RAY + BYTES_AN_OBJECT * objects)))


class Moments(NamedTuple):
    """Mean and squared deviations of what has been seen, in float64 (Chan, Golub & LeVeque 1979).

    Deviations within one batch of samples, from its own mean, are added up in float32.
    """

    samples: int
    mean: Float64[Tensor, "3 scenes pixels"]
    deviations: Float64[Tensor, "3 scenes pixels"]

    @staticmethod
    def zero(shape: tuple[int, ...], device: str) -> "Moments":
        """Nothing seen."""
        nothing = torch.zeros(shape, dtype=torch.float64, device=device)
        return Moments(0, nothing, nothing)

    def updated(self, light: Float[Tensor, "3 scenes samples pixels"]) -> "Moments":
        """With more samples."""
        more = light.shape[2]
        mean = light.mean(2, dtype=torch.float64)
        deviations = (light - mean.float()[:, :, None]).square_().sum(2)
        total = self.samples + more
        step = mean - self.mean
        return Moments(
            total,
            self.mean + step * (more / total),
            self.deviations + deviations + step.square() * (self.samples * more / total),
        )

    def variance(self) -> Float64[Tensor, "3 scenes pixels"]:
        """Estimated variance of the mean."""
        if self.samples < 2:
            return torch.full_like(self.deviations, torch.inf)
        return self.deviations / (self.samples * (self.samples - 1))


def camera_rays(
    packed: Packed,
    pixel: Int32[Tensor, "scenes lanes"],
    sample: Int32[Tensor, "scenes lanes"],
    width: int,
    height: int,
    stages: Stages = EAGER,
) -> Float[Tensor, "6 scenes lanes"]:
    """Origins and unit directions through random points of the pixels of an image."""
    scenes, lanes = pixel.shape
    layout = whole(scenes, lanes, pixel.device)
    size = (torch.tensor(side, dtype=torch.int32, device=pixel.device) for side in (width, height))
    views = Views(packed.cameras[layout.scene], packed.key[layout.scene])
    rays = stages.camera_rays(views, blocked(pixel), blocked(sample), *size)
    return rays.flatten(1)[:, : -(-lanes // LANES) * LANES * scenes].unflatten(1, (scenes, -1))[..., :lanes]


Light: TypeAlias = Float[Tensor, "3 scenes lanes"]
_Rays: TypeAlias = Callable[[Packed, list[int], Tensor, Tensor], Tensor]
"""Rays [6, scenes, lanes] for (scenes, their numbers, pixel, sample)."""


def radiance(
    packed: Packed,
    rays: Float[Tensor, "6 scenes lanes"],
    pixel: Int32[Tensor, "scenes lanes"],
    sample: Int32[Tensor, "scenes lanes"],
    max_depth: int,
    stages: Stages = EAGER,
) -> Light:
    """One path for every ray: an unbiased estimate of the radiance that arrives along it.

    Rays are an origin and a direction of unit length. (key of the scene, pixel, sample) settle the path. With
    gradients enabled and eager stages, the result can be differentiated by `packed.materials` and the background:
    directions and their densities count as constants, so the gradient is unbiased too, but for the visibility of
    what moves, which is fixed.
    """
    scenes, lanes = pixel.shape
    layout = whole(scenes, lanes, pixel.device)
    started = [blocked(field) for field in rays]  # memory of their own: to a compiler a part is another case
    origin, direction = Vector(*started[:3]), Vector(*started[3:])
    pixel, sample = pixel.flatten(), sample.flatten()
    nowhere = torch.full_like(layout.source, NOTHING, dtype=torch.int32)
    (met,) = stages.meet(blocks_of(packed, layout.scene), origin, [direction], nowhere)
    alive = (met.item != NOTHING) & (layout.source >= 0)
    ray = layout.source.flatten()
    total = packed.background.T[:, :, None].expand(3, scenes, lanes).flatten(1)
    layout = compacted(alive, layout.scene, scenes)
    if not len(layout.scene):
        return total.unflatten(1, (scenes, lanes))
    total = total.index_fill(1, ray[alive.flatten()], 0.0)
    origin, direction = origin.map(torch.flatten), direction.map(torch.flatten)
    blocks = blocks_of(packed, layout.scene)
    paths, light = stages.begin(
        blocks, layout.source, origin, direction, Nearest(met.item.flatten(), met.distance.flatten())
    )
    paths = paths._replace(ray=ray[paths.ray])
    _add(total, paths, light)
    for depth in range(1, max_depth):
        layout = compacted(paths.alive, layout.scene, scenes)
        if not len(layout.scene):
            break
        number = torch.tensor(depth, dtype=torch.int32, device=pixel.device)
        blocks = blocks_of(packed, layout.scene)
        paths, light = stages.advance(blocks, _flat(paths), layout.source, pixel, sample, number)
        _add(total, paths, light)
    return total.unflatten(1, (scenes, lanes))


def _add(total: Float[Tensor, "3 rays"], paths: Paths, light: Float[Tensor, "3 blocks lanes"]) -> None:
    total.index_add_(1, paths.ray.flatten(), light.flatten(1))


def _flat(paths: Paths) -> Paths:
    return Paths(*(field.flatten(-2) for field in paths))
