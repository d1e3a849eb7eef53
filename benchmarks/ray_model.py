"""How do the ray model's time and memory grow over objects, pixels and scenes, and what would encoding once save?

    python benchmarks/ray_model.py [--model ray-small] [--objects 1 4 16 64 256] [--pixels 64 128 256 512 1024]

Without --model, random weights of `ray_small`, which take the same time. Scenes are of spheres, a quarter of them
lamps, smaller the more there are, so that about as much of a picture shows something. The last line is one JSON object:
by objects (at 64²), by width (8 objects) and by scenes in a batch (at 64², 8 objects) the median seconds, the peak
memory beyond what the process had before (MiB), and how many object-pixel pairs were shaded; and, of a frame at 128²,
the seconds of making its SceneBatch, of the model's scene side, and of everything: the share of the two is all that
doing so once could save over the views of one scene.
"""

import ctypes
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
import tyro

from luxel.core.fragments import visible_fragments
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import launchable
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.pipeline import Renderer
from luxel.scene.description import Object, Scene, Sphere
from luxel.scene.distributions import Spheres

SEED, OBJECTS, WIDTH, FRAME = 7, 8, 64, 128


@dataclass(frozen=True)
class Options:
    """What to measure."""

    model: str = ""
    """Its name, or any folder with weights."""
    objects: tuple[int, ...] = (1, 4, 16, 64, 256)
    pixels: tuple[int, ...] = (64, 128, 256, 512, 1024)
    """Widths of square pictures."""
    scenes: tuple[int, ...] = (1, 4, 16)
    rounds: int = 3


def crowd(count: int, number: int) -> Scene:
    """A scene of exactly so many spheres, whose volumes together are about those of OBJECTS."""
    draw, objects, index = Spheres(OBJECTS), list[Object](), 0
    while len(objects) < count:
        objects += draw(SEED + number, index).objects
        index += 1
    shrink = min(1.0, (OBJECTS / count) ** (1 / 3))
    spheres = [item for item in objects[:count] if isinstance(item, Sphere)]
    smaller = tuple(item.model_copy(update={"radius": item.radius * shrink}) for item in spheres)
    first = draw(SEED, 0)
    return Scene(objects=smaller, camera=first.camera, background=first.background)


def timed(work: Callable[[], object], rounds: int) -> float:
    """Median seconds, after one that warms up."""
    seconds = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
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


def shaded(scenes: list[Scene], width: int, grid: int) -> int:
    """Pairs of a pixel and an object in it."""
    return len(visible_fragments(SceneBatch.of(scenes), width, width, grid).pixel)


def measured(renderer: Renderer, scenes: list[Scene], width: int, rounds: int) -> dict[str, float | None]:
    """Seconds, MiB and pairs of pictures of these scenes together."""
    config = renderer.model.config
    assert isinstance(config, RayModelConfig)

    def work() -> object:
        return renderer.render(scenes, width, width)

    memory = peak_mib(work)
    row = {"seconds": timed(work, rounds), "mib": memory, "shaded": shaded(scenes, width, config.grid)}
    print(f"{len(scenes):>4} × {len(scenes[0].objects):>3} objects, {width:>4}²  {row}", flush=True)
    return row


@torch.inference_mode()
def parts(renderer: Renderer, rounds: int) -> dict[str, float]:
    """Seconds of making a SceneBatch for kernels, of the model's scene side, and of a whole frame."""
    scene, model = crowd(OBJECTS, 0), renderer.model
    assert isinstance(model, RayModel)
    batch = SceneBatch.of([scene], renderer.device)
    found = {
        "scene_batch": timed(lambda: launchable(SceneBatch.of([scene], renderer.device)), rounds),
        "scene_side": timed(lambda: model.prepare(batch), rounds),
        "frame": timed(lambda: renderer(scene, FRAME, FRAME), rounds),
    }
    saved = found["scene_batch"] + found["scene_side"]
    return {**found, "share_saved_by_preparing_once": saved / found["frame"]}


def main(options: Options) -> None:
    """Measure everything; print the rows, then the JSON object."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    model = RayModel(RayModelConfig())
    renderer = Renderer.from_pretrained(options.model, device) if options.model else Renderer(model, device)
    rounds = options.rounds
    result = {
        "device": device,
        "threads": torch.get_num_threads(),
        "objects": {n: measured(renderer, [crowd(n, 0)], WIDTH, rounds) for n in options.objects},
        "pixels": {w: measured(renderer, [crowd(OBJECTS, 0)], w, rounds) for w in options.pixels},
        "scenes": {
            n: measured(renderer, [crowd(OBJECTS, number) for number in range(n)], WIDTH, rounds)
            for n in options.scenes
        },
        "seconds_of": parts(renderer, rounds),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
