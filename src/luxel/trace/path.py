"""The path tracer: a batch of unlike scenes, on a CPU or on CUDA; the integrator is `luxel.trace.integrator`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import torch
import warp as wp
from jaxtyping import Float32, Int32, Int64
from torch import Tensor

import luxel
from luxel import InputError
from luxel.configuration import shortened
from luxel.core.fragments import FragmentPaths, Fragments
from luxel.core.launch import launch, to_warp
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import launchable
from luxel.scene.arguments import check_scenes
from luxel.scene.description import Scene
from luxel.scene.lighting import warn_of_black_pictures
from luxel.trace.first_hits import Features, first_hit_features
from luxel.trace.fragment_paths import FragmentSums, FragmentTally, mixed_pixels
from luxel.trace.path_kernel import TraceSettings, WorldRays, strata_of, trace_paths
from luxel.trace.path_moments import CHUNK, merge_chunks
from luxel.trace.radiance_cache import RadianceCache
from luxel.trace.tracer import Radiance

MAX_PIXELS = 2**31 - 1  # of one call, as kernels count them
MAX_NET_SIZE = 1 << 12  # paths of a pixel
CPU_CHUNKS, CUDA_CHUNKS = 1 << 16, 1 << 23  # of CHUNK paths, followed at once: 24 bytes each; at most a second or two


class Estimate(NamedTuple):
    """Radiance along rays, and the estimated variance of that mean (infinite for one path)."""

    mean: Float32[Tensor, "rays 3"]
    variance: Float32[Tensor, "rays 3"]
    path_variance: Float32[Tensor, " rays"]
    """Of one path, or of all the branches of one camera's ray, the mean over channels."""


@dataclass(frozen=True)
class PathTracer:
    """The path tracer as a Tracer. `max_depth` counts path segments up to the light: 2 is direct light.

    The first use on a machine compiles its kernels, for some seconds; Warp keeps them on disk.
    """

    max_depth: int = 6
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not isinstance(self.max_depth, int) or self.max_depth < 1:
            raise InputError(
                f"max_depth is {self.max_depth!r}, must be an integer of at least 1, which sees lights alone"
            )
        try:
            torch.device(self.device)
        except RuntimeError:
            raise InputError(
                f"device is {self.device!r}, must be cpu, or cuda or cuda:N where there is a GPU"
            ) from None

    @property
    def renderer(self) -> str:
        """Name, versions and device, for manifests and reports."""
        return f"luxel {luxel.__version__} path, warp {wp.__version__} {self.device}"

    def trace(
        self,
        scenes: Sequence[Scene] | SceneBatch,
        width: int,
        height: int,
        spp: int,
        seed: int,
        progress: Callable[[int], object] | None = None,
    ) -> Radiance:
        """Trace every scene with `spp` paths a pixel; the variance is that of the paths, over spp.

        An image depends on its own scene alone, to the bit. `progress` is called with every number of pixels that are
        done. Raises InputError if `spp` or a side is less than 1; warns of scenes without light, and of cameras inside
        of what is opaque, with InputWarning.
        """
        check_size(width, height)
        batch = self._batch(scenes)
        if not isinstance(scenes, SceneBatch):
            warn_of_black_pictures(scenes)
        count = len(batch) * width * height
        if count > MAX_PIXELS:
            raise InputError(f"{len(batch)} scenes of {width}×{height}: at most {MAX_PIXELS} pixels at once")
        found = estimate(batch, count, self._settings(spp, seed, width, height), WorldRays(), progress)
        mean, variance = (values.reshape(len(batch), height, width, 3).cpu().numpy() for values in found[:2])
        return Radiance(mean, variance, spp, found.path_variance.reshape(len(batch), -1).mean(1).cpu().numpy())

    def sample(
        self,
        scenes: Sequence[Scene] | SceneBatch,
        width: int,
        height: int,
        spp: int,
        seed: int,
        progress: Callable[[int], object] | None = None,
        pixels: Int32[Tensor, " some"] | None = None,
        branches: int = 1,
        cache: RadianceCache | None = None,
    ) -> Estimate:
        """What `trace` returns, on this tracer's device and pixel by pixel, row 0 first, by as many strata as fit.

        Of all pixels, or of these alone, counted in that order, scene by scene.

        One group may be all there is, so that few paths are well spread, too; then `variance` is infinite, and
        `path_variance` over spp, which knows of no strata, more than that of the mean.

        Of each of the `spp` camera rays so many `branches` go on, a power of two, from where it first hits: what is
        noisy is mostly what they find, and the first hit and its direct light cost as much as two of them. Those that
        come to what a `cache` knows end there with that.
        """
        check_size(width, height)
        batch = self._batch(scenes)
        settings = self._settings(spp, seed, width, height, groups=1)
        following = settings.paths
        following.branches, following.net_size = branches, net_size(spp * branches)
        if cache is not None:
            following.cached, following.is_cached = to_warp(cache.coefficients, wp.vec3), to_warp(cache.is_known)
        count, chosen = len(batch) * width * height, WorldRays()
        if pixels is not None:
            settings.is_listed = int(len(pixels) > 0)
            count, chosen.number = len(pixels), to_warp(pixels.to(batch.device))
        return estimate(batch, count, settings, chosen, progress)

    def sample_fragments(
        self,
        scenes: Sequence[Scene] | SceneBatch,
        fragments: Fragments,
        spp: Int64[Tensor, " pixels"],
        seed: int,
        progress: Callable[[int], object] | None = None,
    ) -> tuple[Estimate, FragmentPaths]:
        """What `sample` returns of whole pictures, and the same paths by the fragment that each meets first.

        Each pixel has a number of paths of its own, and the same ones whatever others get.
        """
        batch, width, height = self._batch(scenes), fragments.width, fragments.height
        pixels, device = len(batch) * width * height, batch.device
        paths = spp.cpu()
        mean, variance = torch.empty(2, pixels, 3, device=device)
        whole, shown = Estimate(mean, variance, torch.empty(pixels, device=device)), len(fragments.key)
        sizes = ((shown, 3), (shown,), (pixels,))
        found, is_mixed = FragmentPaths(*(torch.empty(size, device=device) for size in sizes)), mixed_pixels(fragments)
        for number in np.unique(paths.numpy()).tolist():
            settings, chosen = self._settings(number, seed, width, height, groups=1), WorldRays()
            settings.paths.net_size, settings.is_listed = net_size(number), 1
            listed = (paths == number).nonzero()[:, 0].int().to(device)
            chosen.number, tally = to_warp(listed), FragmentTally(fragments, is_mixed, listed, found)
            trace_into(whole, listed, batch, len(listed), settings, chosen, progress, tally)
        return whole, found

    def trace_rays(self, scenes: Sequence[Scene] | SceneBatch, rays: Rays, spp: int, seed: int = 0) -> Estimate:
        """Radiance that arrives along rays of their own, from `spp` paths a ray, on this tracer's device.

        What a ray gets depends on its scene and its number among that scene's rays. Raises InputError for no rays, or
        rays of scenes that are not there, and if `spp` is less than 1.
        """
        batch = self._batch(scenes)
        check_rays(rays, len(batch))
        rays = rays.to(self.device)
        world = WorldRays()
        world.origin = to_warp(rays.origin.float(), wp.vec3)
        world.direction = to_warp(rays.unit_direction.float(), wp.vec3)
        world.scene = to_warp(rays.scene.int())
        world.number = to_warp(number_in_scene(rays.scene, len(batch)))
        return estimate(batch, len(rays), self._settings(spp, seed), world)

    def features(self, scenes: Sequence[Scene] | SceneBatch, width: int, height: int) -> Features:
        """Albedo, normal, depth, object numbers and coverage of first hits, without noise, on this tracer's device.

        Raises InputError if a side is less than 1.
        """
        check_size(width, height)
        return first_hit_features(self._batch(scenes), width, height)

    def _batch(self, scenes: Sequence[Scene] | SceneBatch) -> SceneBatch:
        if not isinstance(scenes, SceneBatch):
            check_scenes(scenes)
            scenes = SceneBatch.of(scenes)
        try:
            return scenes.to(self.device)
        except (RuntimeError, AssertionError) as error:  # torch says so in either way
            raise InputError(f"device {self.device!r} is not to be had here: {error}") from error

    def _settings(self, spp: int, seed: int, width: int = 0, height: int = 0, groups: int = 4) -> Any:
        """TraceSettings of a picture, or of rays of their own; strata are those that at least so many `groups` fill."""
        check_integer("spp", spp)
        check_integer("seed", seed)
        if spp < 1:
            raise InputError(f"spp is {spp}, must be at least 1")
        settings = TraceSettings()
        settings.seed = wp.vec2ui(seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF)
        settings.width, settings.height = width, height
        settings.spp = spp
        settings.columns, settings.rows = strata_of(spp, groups) if width else (1, 1)
        settings.paths.max_depth, settings.paths.branches = self.max_depth, 1
        settings.paths.net_size = settings.columns * settings.rows
        return settings


def estimate(
    batch: SceneBatch,
    count: int,
    settings: Any,
    rays: Any,
    progress: Callable[[int], object] | None = None,
) -> Estimate:
    """Mean and variance over the settings' paths for each of `count` rays; see `trace_into`."""
    mean, variance = torch.empty(2, count, 3, device=batch.device)
    result = Estimate(mean, variance, torch.empty(count, device=batch.device))
    everywhere = torch.empty(0, dtype=torch.int32, device=batch.device)
    trace_into(result, everywhere, batch, count, settings, rays, progress)
    return result


def trace_into(
    result: Estimate,
    places: Int32[Tensor, " rays_or_none"],
    batch: SceneBatch,
    count: int,
    settings: Any,
    rays: Any,
    progress: Callable[[int], object] | None = None,
    tally: FragmentTally | None = None,
) -> None:
    """Write what the settings' paths find along `count` rays to these places of the result, or, if none, one by one.

    `settings` are TraceSettings; `rays` WorldRays, without origins where the rays are those of pictures' pixels: a
    `tally` may count their paths, too. So many are traced at once that memory is bounded.
    """
    device, spp = batch.device, settings.spp
    chunks, groups = -(-spp // CHUNK), spp // (settings.columns * settings.rows)
    scenes = launchable(batch)
    merged = [to_warp(result.mean, wp.vec3), to_warp(result.variance, wp.vec3), result.path_variance]
    for part in parts(count, max(1, (CPU_CHUNKS if device.type == "cpu" else CUDA_CHUNKS) // chunks)):
        settings.first_ray, rows = part.start, len(part)
        moments = [to_warp(torch.empty(rows, chunks, 3, device=device), wp.vec3) for _ in range(2)]
        moments.append(to_warp(torch.empty(rows, chunks, device=device)))
        sums = FragmentSums() if tally is None else tally.sums(part, chunks)
        launch(trace_paths, rows * chunks, [scenes, settings, rays, sums], moments, device, sliced=True)
        launch(merge_chunks, rows, [*moments, spp, groups, places, part.start], merged, device, sliced=True)
        if tally is not None:
            tally.merge(sums, part)
        if progress is not None:
            progress(rows)


def net_size(paths: int) -> int:
    """Of a pixel's so many paths: all of them, if they are a power of two."""
    return min(paths & -paths, MAX_NET_SIZE)


def check_size(width: int, height: int) -> None:
    """Raises InputError for a picture without pixels, and for sides that are no integers."""
    for name, side in (("width", width), ("height", height)):
        check_integer(name, side)
    if width < 1 or height < 1:
        raise InputError(f"width is {width} and height {height}: both must be at least 1")


def check_integer(name: str, value: Any) -> None:
    """Raises InputError for what is no integer."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InputError(f"{name} is {shortened(value)}, must be an integer")


def check_rays(rays: Rays, scenes: int) -> None:
    """Raises InputError for rays that can't be traced in so many scenes."""
    sizes = [tuple(values.shape) for values in (rays.origin, rays.direction, rays.scene)]
    count = len(rays)
    if sizes != [(count, 3), (count, 3), (count,)]:
        raise InputError(f"rays have origin, direction and scene of {sizes}: give [rays, 3], [rays, 3] and [rays]")
    if rays.scene.is_floating_point():
        raise InputError(f"rays have scene numbers of {rays.scene.dtype}: give integers")
    if not count or not 0 <= int(rays.scene.min()) <= int(rays.scene.max()) < scenes:
        raise InputError(
            f"{count} rays for {scenes} scenes: give at least one, and scene numbers from 0 to {scenes - 1}"
        )
    good = (rays.origin.isfinite() & rays.direction.isfinite()).all(1) & (rays.direction != 0).any(1)
    if not good.all():
        bad = int((~good).nonzero()[0])
        raise InputError(
            f"ray {bad} starts at {rays.origin[bad].tolist()} towards {rays.direction[bad].tolist()}: "
            "give finite numbers, and a direction of any length but 0"
        )


def parts(count: int, size: int) -> Iterator[range]:
    """0 … count − 1 in ranges of at most `size`."""
    for start in range(0, count, size):
        yield range(start, min(start + size, count))


def number_in_scene(scene: Int32[Tensor, " rays"], scenes: int) -> Int32[Tensor, " rays"]:
    """Each ray's number among those of its scene, in their order."""
    order = scene.long().argsort(stable=True)
    counts = torch.bincount(scene.long(), minlength=scenes)
    begins = (counts.cumsum(0) - counts).repeat_interleave(counts)
    ranks = torch.arange(len(scene), device=scene.device) - begins
    return torch.empty_like(ranks).index_copy(0, order, ranks).int()
