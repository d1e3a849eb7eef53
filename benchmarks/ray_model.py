"""How do the ray model's time and memory grow over objects, pixels and scenes, and of how many operations is a frame?

    python benchmarks/ray_model.py [--model ray-small] [--objects 1 4 16 64 256 1000] [--pixels 64 128 256 512 1024]

Without --model, random weights of `ray_small`, which take the same time. Scenes are of spheres, a quarter of them
lamps but 64 at most, smaller the more there are, so that about as much of a picture shows something. The last line is
one JSON object: by objects (at 128²), by width (16 objects) and by scenes at once (at 64², 16 objects) the median
seconds from Scene objects to pictures, the same over the number of scenes, the peak memory beyond what the process had
before (MiB), torch's operations, kernels launched, and points that the network saw, be they of one or many objects.
"""

import ctypes
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from luxel.configuration import BatchSize, Configuration, Objects, Pixels, Repeats
from luxel.core import launch
from luxel.models import ray_model
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.pipeline import Renderer
from luxel.scene.description import Object, Scene, Sphere
from luxel.scene.distributions import Spheres

import torch
import tyro
import warp as wp
from torch.utils._python_dispatch import TorchDispatchMode

SEED, OBJECTS, LAMPS = 7, 16, 64
WIDTH, SMALL = 128, 64


@dataclass(frozen=True)
class Options(Configuration):
    """What to measure."""

    model: str = ""
    """Its name, or any folder with weights."""
    objects: tuple[Objects, ...] = (1, 4, 16, 64, 256, 1000)
    pixels: tuple[Pixels, ...] = (64, 128, 256, 512, 1024)
    """Widths of square pictures."""
    scenes: tuple[BatchSize, ...] = (1, 4, 16, 64)
    rounds: Repeats = 3


def crowd(count: int, number: int = 0) -> Scene:
    """A scene of exactly so many spheres, whose volumes together are about those of OBJECTS."""
    lamps = min(count // 4, LAMPS)
    spheres = [*drawn(lamps, number, lights=1.0), *drawn(count - lamps, number, lights=0.0)]
    shrink = min(1.0, (OBJECTS / count) ** (1 / 3))
    smaller = tuple(item.model_copy(update={"radius": item.radius * shrink}) for item in spheres)
    first = Spheres(OBJECTS)(SEED, number)
    return Scene(objects=smaller, camera=first.camera, background=first.background)


def drawn(count: int, number: int, lights: float) -> list[Sphere]:
    """So many spheres of one scene after another's."""
    objects, index = list[Object](), number << 16
    while len(objects) < count:
        objects += Spheres(OBJECTS, lights=lights)(SEED, index).objects
        index += 1
    return [item for item in objects[:count] if isinstance(item, Sphere)]


def timed(work: Callable[[], object], rounds: int) -> float:
    """Median seconds, after one that warms up."""
    seconds = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return median(seconds[1:])


def peak_mib(work: Callable[[], object]) -> float | None:
    """The most memory held beyond that before: the GPU's, or the process's where Linux tells."""
    if torch.cuda.is_available():
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        work()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    if not reset.exists():
        return None
    ctypes.CDLL(None).malloc_trim(0)  # what is freed but kept would hide what comes
    reset.write_text("5")  # proc(5): the high-water mark becomes what is held now
    before = kib(status, "VmRSS")
    work()
    return (kib(status, "VmHWM") - before) / 2**10


def kib(status: Path, field: str) -> int:
    """A field of /proc/self/status."""
    line = next(line for line in status.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1])


class Counter(TorchDispatchMode):
    """Counts torch's operations, views among them, and the kernels and points that `work` takes beside."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self.operations = self.kernels = self.points = 0
        launched, corrected = wp.launch, RayModel.corrected

        def launching(*arguments: Any, **options: Any) -> None:
            self.kernels += 1
            launched(*arguments, **options)

        def correcting(model: RayModel, measured: Any) -> torch.Tensor:
            self.points += len(measured.point)
            return corrected(model, measured)

        at_once = dict.fromkeys(ray_model.POINTS_AT_ONCE, 1 << 20)
        with (
            patch.object(launch, "threads", lambda: 1),  # a CPU's slices are one launch of a GPU's
            patch.object(launch, "SLICES_A_THREAD", 1),
            patch.object(ray_model, "POINTS_AT_ONCE", at_once),
            patch.object(wp, "launch", launching),
            patch.object(RayModel, "corrected", correcting),
            self,
        ):
            work()

    def __torch_dispatch__(self, operation: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        self.operations += 1
        return operation(*arguments, **(options or {}))


def measured(renderer: Renderer, scenes: list[Scene], width: int, rounds: int) -> dict[str, float | None]:
    """What pictures of these scenes together cost."""

    def work() -> object:
        return renderer.render(scenes, width, width)

    work()
    memory, seconds, counts = peak_mib(work), timed(work, rounds), Counter(work)
    row = {
        "seconds": seconds,
        "seconds_a_scene": seconds / len(scenes),
        "mib": memory,
        "operations": counts.operations,
        "kernels": counts.kernels,
        "points": counts.points,
    }
    print(f"{len(scenes):>4} × {len(scenes[0].objects):>4} objects, {width:>4}²  {row}", flush=True)
    return row


def main(options: Options) -> None:
    """Measure everything; print the rows, then the JSON object."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    renderer = (
        Renderer.from_pretrained(options.model, device)
        if options.model
        else Renderer(RayModel(RayModelConfig()), device)
    )
    rounds = options.rounds
    result = {
        "device": device,
        "threads": torch.get_num_threads(),
        "objects": {n: measured(renderer, [crowd(n)], WIDTH, rounds) for n in options.objects},
        "pixels": {w: measured(renderer, [crowd(OBJECTS)], w, rounds) for w in options.pixels},
        "scenes": {
            n: measured(renderer, [crowd(OBJECTS, number) for number in range(n)], SMALL, rounds)
            for n in options.scenes
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
