"""The viewer's frames while something moves: what they cost, and how many there are in a second.

    python benchmarks/viewer.py [--model ray-small] [--frames 15] [--seconds 8]

First the processor time of a frame of several sizes: the network, composing, and what the browser is sent. Then the
viewer's own loop, without a browser, with a camera that moves on all the time, and with an object that does: frames a
second, the median of their heights, and how many cores it got; and at rest, how long it takes until the blended picture
has 16 and 64 paths a pixel. Seconds are worth something on a quiet machine alone. The last line is one JSON object.
"""

import io
import json
import math
import statistics
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated

from luxel import Camera, Material, Plane, Renderer, Scene, Sphere
from luxel.configuration import Configuration, Pixels, Repeats
from luxel.viewer.compose import Look, composed
from luxel.viewer.render_loop import Frame, RenderLoop, View

import torch
import tyro
from PIL import Image
from pydantic import Field

HEIGHTS = (48, 80, 120, 180, 360)
PATHS = (16, 64)
WARM_UP = 2


@dataclass(frozen=True)
class Options(Configuration):
    """What is measured."""

    model: str = "ray-small"
    frames: Repeats = 15
    """Of each size; the median counts."""
    seconds: Annotated[float, Field(gt=1, le=3600)] = 8.0
    """Of each motion, after as many for the size to settle."""
    height: Pixels = 360
    """Of the picture at rest, which is 8:5."""


def eight_spheres() -> Scene:
    """Seven balls in a ring, metal, glass and matt, and a lamp, on the ground."""
    places = [(1.3 * math.cos(angle), 1.3 * math.sin(angle), 0.45) for angle in (2 * math.pi * i / 7 for i in range(7))]
    looks = (Material(metallic=1.0, roughness=0.1), Material(transmission=1.0, roughness=0.05), Material(roughness=0.6))
    balls = [
        Sphere(
            center=place,
            radius=0.45,
            material=looks[i % 3].model_copy(update={"base_color": (0.8, 0.2 + 0.08 * i, 0.2)}),
        )
        for i, place in enumerate(places)
    ]
    lamp = Sphere(center=(-2, -2, 4), radius=0.6, material=Material(emission=(12, 12, 12)))
    ground = Plane(center=(0, 0, 0))
    camera = Camera(position=(0, -5, 2.5), look_at=(0, 0, 0.4))
    return Scene(objects=(*balls, lamp, ground), camera=camera, background=(0.3, 0.35, 0.4))


def milliseconds(renderer: Renderer, scene: Scene, width: int, height: int, frames: int) -> float:
    """Median processor time of one frame, up to its JPEG."""
    times = []
    for step in range(frames + WARM_UP):
        moved = scene.with_object(0, center=(1.3, 0.01 * step, 0.45))
        started = time.process_time()
        network = renderer(moved, width, height)
        frame = Frame(View(moved, width, height, 0), step, network, network, None, 0, math.nan, 0.0, False)
        Image.fromarray(composed(frame, Look())).save(io.BytesIO(), format="JPEG", quality=80)
        times.append(1000 * (time.process_time() - started))
    return statistics.median(times[WARM_UP:])


def orbited(scene: Scene, seconds: float) -> Scene:
    """The scene as a camera sees it that goes round."""
    angle = 0.2 * seconds
    camera = Camera(position=(5 * math.sin(angle), -5 * math.cos(angle), 2.5), look_at=(0, 0, 0.4))
    return scene.model_copy(update={"camera": camera})


def dragged(scene: Scene, seconds: float) -> Scene:
    """The scene with its first object on the way to and fro."""
    return scene.with_object(0, center=(1.3, 0.5 * math.sin(seconds), 0.45))


def loop_of(renderer: Renderer, show: Callable[[Hashable, Frame], object]) -> RenderLoop:
    """The viewer's own loop, whose frames are composed as for a tab and then shown."""

    def composed_and_shown(key: Hashable, frame: Frame) -> None:
        composed(frame, Look())
        show(key, frame)

    return RenderLoop(SimpleNamespace(renderer=renderer, fixed_side=None), composed_and_shown, print)


def in_motion(
    renderer: Renderer, scene: Scene, move: Callable[[Scene, float], Scene], options: Options
) -> dict[str, float]:
    """What the loop shows of a scene that moves all the time."""
    shown: list[tuple[float, int]] = []
    loop = loop_of(renderer, lambda _, frame: shown.append((time.monotonic(), len(frame.best))))
    started = time.monotonic()
    counting, used = started + options.seconds, 0.0
    while (now := time.monotonic()) < counting + options.seconds:
        if now < counting:
            used = time.process_time()
        loop.request("tab", view_of(move(scene, now - started), options, 0))
        time.sleep(0.01)
    used = time.process_time() - used
    loop.close()
    heights = [height for at, height in shown if at >= counting]
    return {
        "frames_per_s": round(len(heights) / options.seconds, 1),
        "median_height": statistics.median(heights) if heights else 0,
        "cores": round(used / options.seconds, 2),
    }


def at_rest(renderer: Renderer, scene: Scene, options: Options) -> dict[int, float]:
    """Seconds from the request of a picture until it has so many paths a pixel."""
    reached: dict[int, float] = {}
    is_done = threading.Event()

    def show(_: Hashable, frame: Frame) -> None:
        seconds = round(time.monotonic() - started, 2)
        for paths in PATHS:
            if frame.spp >= paths:
                reached.setdefault(paths, seconds)
        if frame.spp >= PATHS[-1]:
            is_done.set()

    started = time.monotonic()
    loop = loop_of(renderer, show)
    loop.request("tab", view_of(scene, options, PATHS[-1]))
    is_done.wait()
    loop.close()
    return reached


def view_of(scene: Scene, options: Options, most_paths: int) -> View:
    """What a tab would ask for."""
    return View(scene, options.height * 8 // 5, options.height, most_paths)


def main(options: Options) -> None:
    """Time every size, both motions, and rest."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    renderer, scene = Renderer.from_pretrained(options.model), eight_spheres()
    found = {
        height: round(milliseconds(renderer, scene, height * 8 // 5, height, options.frames), 1) for height in HEIGHTS
    }
    torch.set_num_threads(threads)
    measured = {
        "model": options.model,
        "objects": len(scene.objects),
        "ms_by_height": found,
        "orbiting": in_motion(renderer, scene, orbited, options),
        "dragging": in_motion(renderer, scene, dragged, options),
        "s_to_paths": at_rest(renderer, scene, options),
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
