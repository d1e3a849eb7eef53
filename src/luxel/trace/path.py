"""A path tracer for batches of scenes in PyTorch: the Tracer whose light needs no bottleneck.

The estimator is Mitsuba's `path` (Kajiya 1986; Veach 1997, ch. 9): at every surface a direction towards a
light and one from the BSDF, combined by the power heuristic; the constant background is found by BSDF samples
alone, which follow it well. Depth counts segments up to the light: 1 sees lights, 2 is direct light.

Shapes: rays are [component, scenes, lanes]; after each segment the lanes that go on move to the front, and the
rest are dropped.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import torch
from jaxtyping import Bool, Float, Float32, Float64, Int32, Int64
from torch import Tensor

import luxel
from luxel import InputError
from luxel.geometry.intersect import NOTHING, Hit, gathered, nearest
from luxel.geometry.vectors import basis, dot, normalised, transform, transform_transposed
from luxel.scene.description import Scene
from luxel.trace import bsdf, lights
from luxel.trace.counter import uniform
from luxel.trace.packed import Materials, Packed, bucket, buckets, pack
from luxel.trace.tracer import Radiance

ROULETTE_DEPTH = 5  # segments before Russian roulette, as in Mitsuba
SURVIVAL = 0.95  # at most, lest a path be caught by total reflection
NEAR_CLIP = 1e-3  # scene units along the viewing direction; see `luxel.trace.mitsuba`
FEWEST_LANES = 64  # below which dropping lanes saves nothing
CPU_RAYS = 1 << 14  # at once: intermediate results stay in the cache
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
    once, and so the memory; 0 goes by the device.
    """

    max_depth: int = 6
    device: str = "cpu"
    rays: int = 0

    @property
    def renderer(self) -> str:
        """Name, versions and device, for manifests and reports."""
        return f"luxel {luxel.__version__} torch {torch.__version__} {self.device}"

    def trace(self, scenes: Sequence[Scene], width: int, height: int, spp: int, seed: int) -> Radiance:
        """Trace every scene with `spp` paths a pixel; the variance is that of the paths, over spp.

        An image's paths depend on its own scene alone; the last bit of their sum may depend on what is traced
        beside it. Raises InputError if `spp` is less than 1.
        """

        def rays(packed: Packed, members: list[int], pixel: Tensor, sample: Tensor) -> tuple[Tensor, Tensor]:
            return camera_rays(packed, pixel, sample, width, height)

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

        Directions may have any length. The result is on this tracer's device.
        """
        origins = origins.to(self.device, torch.float32)
        directions = torch.nn.functional.normalize(directions.to(self.device, torch.float32), dim=-1)

        def rays(packed: Packed, members: list[int], pixel: Tensor, sample: Tensor) -> tuple[Tensor, Tensor]:
            index = pixel.long()[..., None].expand(*pixel.shape, 3)
            chosen = (values[members].gather(1, index).movedim(-1, 0) for values in (origins, directions))
            return next(chosen), next(chosen)

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
            for pixels in torch.arange(count, device=self.device).split(self._budget(packed)):
                moments = Moments.zero((3, len(members), len(pixels)), self.device)
                batch = max(1, self._budget(packed) // (len(members) * len(pixels)))
                for samples in torch.arange(spp, device=self.device).split(batch):
                    pixel = pixels.int().repeat(len(samples)).expand(len(members), -1)
                    sample = samples.int().repeat_interleave(len(pixels)).expand(len(members), -1)
                    origin, direction = rays(packed, members, pixel, sample)
                    light = radiance(packed, origin, direction, pixel, sample, self.max_depth)
                    moments = moments.updated(light.unflatten(2, (len(samples), len(pixels))))
                mean[members, pixels[0] : pixels[-1] + 1] = moments.mean.movedim(0, -1).float()
                variance[members, pixels[0] : pixels[-1] + 1] = moments.variance().movedim(0, -1).float()
        return Estimate(mean, variance)

    def _groups(self, scenes: Sequence[Scene], count: int, spp: int) -> Iterator[list[int]]:
        """Numbers of scenes of the same buckets, as many as may be traced together."""
        together: dict[tuple[int, int], list[int]] = {}
        for number, scene in enumerate(scenes):
            together.setdefault(buckets(scene), []).append(number)
        for (objects, _), members in together.items():
            size = max(1, ray_budget(self.device, self.rays, objects) // (count * spp))
            yield from (members[start : start + size] for start in range(0, len(members), size))

    def _budget(self, packed: Packed) -> int:
        return ray_budget(self.device, self.rays, packed.real.shape[1])


def ray_budget(device: str, rays: int, objects: int) -> int:
    """How many rays to trace at once in scenes of so many objects: `rays`, or by the device if it is 0."""
    if rays:
        return rays
    if torch.device(device).type != "cuda":
        return CPU_RAYS
    free, _ = torch.cuda.mem_get_info(device)
    return max(1024, min(CUDA_RAYS, int(free * 0.5) // (BYTES_A_RAY + BYTES_AN_OBJECT * objects)))


class Moments(NamedTuple):
    """Mean and squared deviations of what has been seen, in float64 (Chan, Golub & LeVeque 1979)."""

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
        values = light.double()
        mean = values.mean(2)
        deviations = (values - mean[:, :, None]).square().sum(2)
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
) -> tuple[Float[Tensor, "3 scenes lanes"], Float[Tensor, "3 scenes lanes"]]:
    """Origins and unit directions through random points of the pixels, which is the box filter."""
    jitter = uniform(packed.key, pixel, sample, 0)
    column, row = pixel % width, torch.div(pixel, width, rounding_mode="floor")
    x = (column + jitter[0] - width / 2) * (2 / height)
    y = (height / 2 - row - jitter[1]) * (2 / height)
    camera = packed.cameras
    through = camera.forward + camera.right * x + camera.up * y
    return camera.position + NEAR_CLIP * through, normalised(through)


class Paths(NamedTuple):
    """Paths that have arrived at a surface."""

    alive: Bool[Tensor, "scenes lanes"]
    lane: Int64[Tensor, "scenes lanes"]  # the ray that the path began as, in its scene
    pixel: Int32[Tensor, "scenes lanes"]
    sample: Int32[Tensor, "scenes lanes"]
    item: Int64[Tensor, "scenes lanes"]  # the object that was hit
    point: Float[Tensor, "3 scenes lanes"]
    normal: Float[Tensor, "3 scenes lanes"]
    direction: Float[Tensor, "3 scenes lanes"]  # unit, towards the point
    throughput: Float[Tensor, "3 scenes lanes"]
    eta: Float[Tensor, "scenes lanes"]  # index where the path is, over the camera's


Light: TypeAlias = Float[Tensor, "3 scenes lanes"]
_Rays: TypeAlias = Callable[[Packed, list[int], Tensor, Tensor], tuple[Tensor, Tensor]]
"""Origins and directions [3, scenes, lanes] for (scenes, their numbers, pixel, sample)."""


def radiance(
    packed: Packed,
    origin: Float[Tensor, "3 scenes lanes"],
    direction: Float[Tensor, "3 scenes lanes"],
    pixel: Int32[Tensor, "scenes lanes"],
    sample: Int32[Tensor, "scenes lanes"],
    max_depth: int,
) -> Light:
    """One path for every ray: an unbiased estimate of the radiance that arrives along it.

    Directions are of unit length. (key of the scene, pixel, sample) settle the path. With gradients enabled,
    the result can be differentiated by `packed.materials` and the background: directions and their densities
    count as constants, so the gradient is unbiased too, but for the visibility of what moves, which is fixed.
    """
    lanes = pixel.shape[1]
    nowhere = torch.full_like(pixel, NOTHING, dtype=torch.int64)
    hit = nearest(packed.shapes, packed.real, origin, direction, nowhere)
    total = _seen(packed, hit, direction)
    lane = torch.arange(lanes, device=pixel.device).expand_as(pixel)
    alive = hit.item != NOTHING
    paths = Paths(
        alive,
        lane,
        pixel,
        sample,
        hit.item,
        hit.point,
        hit.normal,
        direction,
        torch.ones_like(direction),
        torch.ones_like(direction[0]),
    )
    for depth in range(1, max_depth):
        paths = _compact(paths)
        if not paths.alive.shape[1]:
            break
        paths, light = advance(packed, paths, depth)
        total = total.scatter_add(2, paths.lane[None].expand_as(light), light)
    return total


def advance(packed: Packed, paths: Paths, depth: int) -> tuple[Paths, Light]:
    """Follow every path over one more segment; also the light that this segment finds, for the path's lane."""
    material = Materials(*gathered(packed.materials, paths.item.clamp(min=0)))
    constant = Materials(*(value.detach() for value in material))
    frame = basis(paths.normal)
    wi = transform(frame, -paths.direction)
    key = packed.key
    first = uniform(key, paths.pixel, paths.sample, 2 * depth)
    second = uniform(key, paths.pixel, paths.sample, 2 * depth + 1)
    light = torch.zeros_like(paths.throughput)

    share = None
    if len(packed.lights.item):
        share = lights.shares(packed, paths.point, paths.normal, paths.item, material.transmission == 0)
        choice = lights.choose(packed, share, paths.point, first[:3])
        seen = nearest(packed.shapes, packed.real, paths.point, choice.direction, paths.item)
        value, density = bsdf.evaluate(material, wi, transform(frame, choice.direction))
        lit = (seen.item == choice.item) & (choice.density > 0)
        factor = torch.where(lit, _power_heuristic(choice.density, density) / choice.density.clamp(min=1e-30), 0.0)
        light = light + paths.throughput * value * factor.detach() * _emission(packed, choice.item)

    drawn = bsdf.sample(constant, wi, second[:3])
    value, density = bsdf.evaluate(material, wi, drawn.direction)
    alive = paths.alive & drawn.valid & (density > 0)
    weight = torch.where(alive, value / density.detach().clamp(min=1e-30), 0.0)
    direction = normalised(transform_transposed(frame, drawn.direction))
    throughput = paths.throughput * weight
    hit = nearest(packed.shapes, packed.real, paths.point, direction, paths.item)
    found = _seen(packed, hit, direction)
    if share is not None:
        other = torch.where(hit.item == NOTHING, 0.0, lights.density(packed, share, hit))
        found = found * _power_heuristic(density, other).detach()
    light = torch.where(paths.alive, light + throughput * found, 0.0)

    crosses = wi[2] * drawn.direction[2] < 0
    eta = paths.eta * torch.where(crosses, torch.where(wi[2] > 0, constant.eta, 1 / constant.eta), 1.0)
    alive = alive & (hit.item != NOTHING)
    if depth >= ROULETTE_DEPTH:
        survival = (throughput.detach().amax(0) * eta * eta).clamp(max=SURVIVAL)
        alive = alive & (first[3] < survival)
        throughput = throughput / survival.clamp(min=1e-30)
    arrived = paths._replace(
        alive=alive & (throughput.detach().amax(0) > 0),
        item=hit.item,
        point=hit.point,
        normal=hit.normal,
        direction=direction,
        throughput=throughput,
        eta=eta,
    )
    return arrived, light


def _seen(packed: Packed, hit: Hit, direction: Float[Tensor, "3 scenes lanes"]) -> Light:
    """What a ray finds at its end: the background, or an object's emission, which goes outwards only."""
    emission = torch.where(dot(direction, hit.normal) < 0, _emission(packed, hit.item.clamp(min=0)), 0.0)
    return torch.where(hit.item == NOTHING, packed.background, emission)


def _emission(packed: Packed, item: Int64[Tensor, "scenes lanes"]) -> Light:
    return gathered([packed.materials.emission], item)[0]


def _power_heuristic(
    density: Float[Tensor, "scenes lanes"], other: Float[Tensor, "scenes lanes"]
) -> Float[Tensor, "scenes lanes"]:
    """Weight of a sample of `density`, which could also have been drawn with the `other` (Veach 1997, eq. 9.13)."""
    ratio = other / density.clamp(min=1e-30)
    return 1 / (1 + ratio * ratio)


def _compact(paths: Paths) -> Paths:
    """Only the paths that are alive, as far as scenes of different numbers of them allow."""
    scenes, lanes = paths.alive.shape
    count = paths.alive.sum(1)
    width = _width(int(count.max()), lanes)
    if width == lanes:
        return paths
    # Each living path goes to the next free place, the others to one beyond the last.
    place = torch.where(paths.alive, paths.alive.cumsum(1) - 1, width)
    source = torch.zeros(scenes, width + 1, dtype=torch.int64, device=place.device)
    numbers = torch.arange(lanes, device=place.device).expand(scenes, lanes)
    source = source.scatter(1, place, numbers)[:, :width]
    alive = torch.arange(width, device=place.device) < count[:, None]
    fields = [value.gather(-1, source.expand(*value.shape[:-1], width)) for value in paths[1:]]
    return Paths(alive, *fields)


def _width(count: int, lanes: int) -> int:
    """The least of a few widths (eight an octave) that holds `count` lanes."""
    if not count:
        return 0
    unit = max(FEWEST_LANES, bucket(count) // 8)
    return min(lanes, -(-count // unit) * unit)
