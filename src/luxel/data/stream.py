"""Training on fresh scenes: made and path traced while the network trains; none comes twice.

A sample's *slot* is its position in an endless training: step · batch size + place in the batch, above the run's
seed in the upper bits. A slot settles its scene, its rays and its paths, so that a run resumes exactly at any step,
and ranks share a step's slots.

Legend: a ray is first a point (x, y) of the image plane, see `luxel.core.rays`.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from pydantic import Field
from torch import Tensor

from luxel import InputError
from luxel.configuration import Configuration
from luxel.core.interactions import interact
from luxel.core.launch import cores
from luxel.core.rays import Rays, image_plane_rays
from luxel.core.scene_batch import SceneBatch
from luxel.data.batches import evaluation_batches, training_batches
from luxel.data.dataset import Batch, ShardDataset, rays_in_order
from luxel.data.generate_settings import GenerateSettings
from luxel.data.split import Shares, split_of
from luxel.scene.camera import tan_half_fov
from luxel.scene.description import Scene, scene_id
from luxel.trace.path import PathTracer

BATCHES_AHEAD = 2
SCENE_WORKERS = 8
"""Processes at most that describe scenes for a GPU."""
SLOTS = 1 << 40
"""Samples of one run; beyond them begin those of a run of the next seed."""
SEEDS = 1 << 22
ATTEMPTS_APART = SLOTS * SEEDS
"""Scene number slot + n · this is the slot's n-th candidate."""
RAYS_A_ROUND = (8, 16, 32, 64, 128, 256, 512)
"""Rays tried at objects for each ray that is wanted, round after round. After the last one, a scene whose objects fill
less than a thousandth of the picture, or none of it, gives its slot to the next candidate."""
MAX_CANDIDATES = 100
"""Scenes in a row that may show no object before a stream of rays aimed at objects gives up."""
MAX_SCENES_SET_ASIDE = 10_000
"""Scenes in a row that may not be for training before a stream gives up: if 0.99 are not, with a chance of 2e-44."""
RAY_SEQUENCE = 1
"""Beside the data set's seed, sets the rays' random numbers apart from the scenes'."""

Aim: TypeAlias = Literal["picture", "objects"]


@dataclass(frozen=True)
class StreamSettings(Configuration, path="stream"):
    """What of a stream a data set's settings don't say: those are of its scenes, size, depth and test set."""

    spp: Annotated[int, Field(ge=1, le=1 << 24)] | None = None
    """Paths a pixel or a ray; None: as many as the data set has."""
    rays: Annotated[int, Field(ge=0, le=1 << 24)] = 0
    """Random rays of each scene; 0: whole images."""
    aim: Aim = "picture"
    """picture: rays are uniform over the picture. objects: over the part of it where objects are."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.aim == "objects" and not self.rays:
            raise InputError("stream.aim is objects, which is for rays; give stream.rays, too")

    def paths(self, data: GenerateSettings) -> int:
        """Paths a pixel or a ray, beside a data set of these settings."""
        return data.spp if self.spp is None else self.spp


class StreamSource:
    """Fresh training scenes, and the test split of a generated folder, as the trainer takes them.

    Scenes are `data.distribution`'s. Those which the split's rule puts in test or val are passed over, so that none of
    these is ever trained on. Samples are a function of their slots, to the bit. `device` is where they are traced.
    """

    def __init__(
        self, root: str | Path, data: GenerateSettings, stream: StreamSettings, device: torch.device | str = "cpu"
    ) -> None:
        self.test = ShardDataset(root, "test")
        self._data, self._stream = data, stream
        self._shares = Shares.of(self.test.manifest.settings)
        if "train" in self._shares.empty:
            raise InputError(f"{root}: its {self._shares.words}, which leaves no scene to train on; take less")
        self._device = torch.device(device)
        self._tracer = PathTracer(data.max_depth, str(device))
        self._side = torch.cuda.Stream(self._device) if self._device.type == "cuda" else None

    def training_batches(self, batch_size: int, seed: int, start_step: int, rank: int, world: int) -> Iterator[Batch]:
        """See `training_batches`; the next ones are traced meanwhile, on a CPU by a process of their own.

        A thread would do, but for the interpreter's lock: half of a batch's time is Python's, in making the scenes. On
        two cores `ray_small` saw 265 scenes/s with a process, 172 with a thread and 174 in turns. A GPU traces in a
        thread what processes have described, 3 ms a scene.
        """
        if self._device.type == "cpu":
            made = training_batches(self, batch_size, seed, start_step, rank, world, workers=1)
            return (batch for batch in made)  # a generator, whose closing ends the process
        if self._stream.aim == "objects":  # which takes the GPU to find out
            return prefetched(training_batches(self, batch_size, seed, start_step, rank, world))
        workers = min(SCENE_WORKERS, max(1, cores() - 1))
        described = training_batches(Described(self), batch_size, seed, start_step, rank, world, workers)
        return prefetched(self.traced(*each) for each in described)

    def test_batches(self, batch_size: int, rank: int, world: int) -> Iterator[Batch]:
        """See `evaluation_batches`."""
        return evaluation_batches(self.test, batch_size, rank, world)

    def order(self, start: int, stop: int, seed: int) -> Int64[np.ndarray, "positions"]:
        """The slots of these positions: one after another."""
        if not 0 <= seed < SEEDS:
            raise InputError(f"train.seed is {seed}, must be in 0..{SEEDS - 1} for a stream")
        return np.arange(start, stop, dtype=np.int64) + seed * SLOTS

    def batch(self, indices: Sequence[int] | Int64[np.ndarray, "batch"]) -> Batch:
        """The samples of these slots."""
        return self.traced(*self.described(indices))

    def described(
        self, indices: Sequence[int] | Int64[np.ndarray, "batch"]
    ) -> tuple[SceneBatch, Float[np.ndarray, "batch rays 2"] | None]:
        """The scenes of these slots, on the CPU, and the points of the image plane that their rays go through."""
        scenes, points = self.sampled([int(slot) for slot in indices])
        return SceneBatch.of(scenes), points

    @torch.no_grad()
    def traced(self, scenes: SceneBatch, points: Float[np.ndarray, "batch rays 2"] | None) -> Batch:
        """What was described, with its radiance; the scenes are left where they are traced."""
        with torch.cuda.stream(self._side) if self._side is not None else nullcontext():
            batch = scenes.to(self._device)
            rays = None if points is None else camera_rays(batch, points)
            radiance, variance = self._images(batch) if rays is None else self._radiance(batch, rays)
            if self._side is not None:
                self._side.synchronize()
        return Batch(batch, radiance, variance, rays)

    def sampled(self, slots: list[int]) -> tuple[list[Scene], Float[np.ndarray, "batch rays 2"] | None]:
        """Each slot's scene, the first of its candidates that is for training and can be aimed at, and its rays."""
        scenes: dict[int, Scene] = {}
        rays: dict[int, Float[np.ndarray, "rays 2"]] = {}
        due = {slot: slot for slot in slots}  # and the number of its next candidate
        while due:
            numbers, candidates = zip(*(self._training_scene(number) for number in due.values()), strict=True)
            found = self._rays(candidates, numbers)
            for slot, number, scene, points in zip(list(due), numbers, candidates, found, strict=True):
                if points is None:
                    due[slot] = number + ATTEMPTS_APART
                    if due[slot] >= MAX_CANDIDATES * ATTEMPTS_APART:
                        raise InputError(
                            f"stream.aim is objects, but {MAX_CANDIDATES} scenes in a row of "
                            f"{self._data.distribution.name} have none in view; choose picture"
                        )
                else:
                    scenes[slot], rays[slot] = scene, points
                    del due[slot]
        stacked = np.stack([rays[slot] for slot in slots]) if self._stream.rays else None
        return [scenes[slot] for slot in slots], stacked

    def _training_scene(self, number: int) -> tuple[int, Scene]:
        """The first training scene among number, number + ATTEMPTS_APART, … of the distribution, and its number."""
        for candidate in islice(count(number, ATTEMPTS_APART), MAX_SCENES_SET_ASIDE):
            scene = self._data.scene(candidate)
            if split_of(scene_id(scene), self._shares) == "train":
                return candidate, scene
        raise InputError(
            f"distribution {self._data.distribution.name}: {MAX_SCENES_SET_ASIDE} scenes in a row are not for "
            f"training; it gives too few different ones, or too many are set aside: {self._shares.words}"
        )

    def _rays(self, scenes: Sequence[Scene], numbers: Sequence[int]) -> list[Float[np.ndarray, "rays 2"] | None]:
        """For each scene its rays, which depend on its number alone; None where there are no objects to aim at."""
        samplers = [RaySampler(self._data, scene, number) for scene, number in zip(scenes, numbers, strict=True)]
        wanted = self._stream.rays
        if self._stream.aim == "picture":
            return [sampler.points(wanted) for sampler in samplers]
        batch = SceneBatch.of(scenes, self._device)
        hits = [np.zeros((0, 2), np.float32) for _ in scenes]
        for tries in RAYS_A_ROUND:
            lacking = [row for row, points in enumerate(hits) if len(points) < wanted]
            if not lacking:
                break
            tried = np.stack([samplers[row].points(tries * wanted) for row in lacking])
            seen = sees_objects(batch.select(torch.tensor(lacking)), tried)
            for row, points, hit in zip(lacking, tried, seen, strict=True):
                hits[row] = np.concatenate([hits[row], points[hit]])[:wanted]
        return [points if len(points) == wanted else None for points in hits]

    def _images(self, scenes: SceneBatch) -> tuple[Tensor, Tensor]:
        """Mean and variance of the scenes' pictures, [batch, height, width, 3]."""
        data = self._data
        images = self._tracer.trace(scenes, data.width, data.height, self._stream.paths(data), data.seed)
        return torch.from_numpy(images.mean), torch.from_numpy(images.variance)

    def _radiance(self, scenes: SceneBatch, rays: Rays) -> tuple[Tensor, Tensor]:
        """Mean and variance along the rays, [batch, rays, 3]."""
        estimate = self._tracer.trace_rays(scenes, rays, self._stream.paths(self._data), self._data.seed)
        mean, variance = (values.unflatten(0, (len(scenes), -1)).cpu() for values in estimate[:2])
        return mean, variance


class Described:
    """A stream's scenes without their radiance, for processes that have no GPU."""

    def __init__(self, source: StreamSource) -> None:
        self._source = source

    def order(self, start: int, stop: int, seed: int) -> Int64[np.ndarray, "positions"]:
        """The stream's."""
        return self._source.order(start, stop, seed)

    def batch(
        self, indices: Sequence[int] | Int64[np.ndarray, "batch"]
    ) -> tuple[SceneBatch, Float[np.ndarray, "batch rays 2"] | None]:
        """See `StreamSource.described`."""
        return self._source.described(indices)


class RaySampler:
    """Random points of one scene's picture, (x, y) at distance 1 in camera space: a sequence of its number's own."""

    def __init__(self, data: GenerateSettings, scene: Scene, number: int) -> None:
        self._bits = np.random.Philox(np.random.SeedSequence([data.seed, RAY_SEQUENCE], spawn_key=(number,)))
        half_height = tan_half_fov(scene.camera)
        self._half = half_height * np.array([data.width / data.height, 1.0])

    def points(self, amount: int) -> Float[np.ndarray, "amount 2"]:
        """The next ones, float32, uniform over the picture."""
        unit = (self._bits.random_raw(2 * amount) >> 11).reshape(amount, 2) * 2.0**-53
        return ((2 * unit - 1) * self._half).astype(np.float32)


def camera_rays(scenes: SceneBatch, points: Float[np.ndarray, "batch rays 2"]) -> Rays:
    """The rays through these points of the scenes' image planes, as many of each scene."""
    numbers = rays_in_order(len(points), points.shape[1], scenes.device)
    return image_plane_rays(scenes, torch.from_numpy(points).flatten(0, 1).to(scenes.device), numbers)


def sees_objects(scenes: SceneBatch, points: Float[np.ndarray, "batch rays 2"]) -> Bool[np.ndarray, "batch rays"]:
    """Whether the rays through these points meet an object, by the tracer's own intersection."""
    hit = interact(scenes, camera_rays(scenes, points)).is_hit
    return hit.unflatten(0, points.shape[:2]).cpu().numpy()


def prefetched(batches: Iterator[Batch], ahead: int = BATCHES_AHEAD) -> Iterator[Batch]:
    """The same batches, the next `ahead` of them made in a thread while one is used.

    An error in the thread is raised where its batch would have come. Closing the generator, as the end of its scope
    does, waits for the batch in the making and drops the others.
    """
    with ThreadPoolExecutor(1, "prefetch") as thread:
        waiting: deque[Future[Batch]] = deque()
        try:
            while True:
                waiting.append(thread.submit(next, batches))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
        finally:
            thread.shutdown(cancel_futures=True)
