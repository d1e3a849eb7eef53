"""Scenes of extremes, and scene files that are broken: each loads or is told why, and what loads has a picture."""

import json
import time
import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from harness.report import Report
from luxel import InputError, InputWarning, Renderer, Scene
from luxel.trace.path import PathTracer

COUNT, TOGETHER, SIDE = 10_000, 25, 8
LIMIT_S = 20.0  # for a batch of pictures that takes 0.1 to 1 s
Values = dict[str, Any]
SPECIAL = (0, 1, -1, 1e-6, 1e-5, 1e-3, 0.999999, 1e3, 1e5, 1e6, 1e-30, -0.0, 5e-324)
"""Numbers; where they are out of range, loading says so."""
WRONG: tuple[Any, ...] = (
    None, True, "", "1", "sphere", "x" * 10_000, "\x1b[2J", "\ud800", "é\u202e", [], {}, [[]], [1, 2], {"a": 1},
    float("nan"), float("inf"), -float("inf"), 1e30, -1, 10**400, 2**63, 1e308, [1e308] * 3, [0, 0, 0, 0],
)  # fmt: skip


def run(report: Report, share: float = 1.0) -> None:
    """Half of the scenes are valid or nearly so, half are broken; what loads is rendered and path traced."""
    renderer, tracer = Renderer.from_pretrained("ray-small"), PathTracer()
    painters: dict[str, Callable[[list[Scene]], np.ndarray]] = {
        "ray-small": lambda scenes: renderer.render(scenes, SIDE),
        "path tracer": lambda scenes: tracer.trace(scenes, SIDE, SIDE, 2, seed=0).mean,
    }
    waiting: list[tuple[int, Scene]] = []
    for index in report.some(range(COUNT), share):
        scene, problem = loaded(content(index, report.seed))
        report.add(f"scene {index}", problem)
        if scene is not None:
            waiting.append((index, scene))
        if len(waiting) == TOGETHER:
            paint(report, painters, waiting)
            waiting = []
    paint(report, painters, waiting)


def loaded(text: bytes) -> tuple[Scene | None, str | None]:
    """The scene, if the text is one, and what is wrong with how it is told that it is none."""
    try:
        return Scene.from_json(text, "scene.json"), None
    except InputError as error:
        lines = str(error).splitlines()
        good = lines and all(line.startswith("scene.json: ") and line.isprintable() for line in lines)
        return None, None if good and max(map(len, lines)) < 1000 else f"told as {str(error)[:200]!r}"
    except Exception as error:
        return None, f"{type(error).__name__}: {str(error)[:200]}"


def paint(
    report: Report, painters: dict[str, Callable[[list[Scene]], np.ndarray]], scenes: list[tuple[int, Scene]]
) -> None:
    """Report every scene whose picture is no radiance; a batch that fails as a whole is tried one by one."""
    if not scenes:
        return
    for name, painter in painters.items():
        begun = time.monotonic()
        try:
            with warnings.catch_warnings(action="ignore", category=InputWarning):  # some have no light
                images = painter([scene for _, scene in scenes])
        except Exception as error:
            if len(scenes) == 1:
                report.add(f"scene {scenes[0][0]} by {name}", f"{type(error).__name__}: {str(error)[:200]}", 0)
            else:
                for one in scenes:
                    paint(report, {name: painter}, [one])
            continue
        if (seconds := time.monotonic() - begun) > LIMIT_S:
            report.add(f"scenes {[index for index, _ in scenes]} by {name}", f"took {seconds:.0f} s", 0)
        for (index, _), image in zip(scenes, images, strict=True):
            if not (np.isfinite(image).all() and (image >= 0).all()):
                report.add(f"scene {index} by {name}", f"from {image.min()} to {image.max()}", 0)


def content(index: int, seed: int = 0) -> bytes:
    """Scene number `index` of a seed, as a file: even ones may be right, odd ones are broken in one to three places."""
    random = np.random.default_rng([seed, index])
    scene = described(random)
    if index % 2 == 0:
        return json.dumps(scene).encode()
    for _ in range(random.integers(1, 4)):
        broken_value(random, scene)
    text = json.dumps(scene)
    return broken_text(random, text) if random.random() < 0.3 else text.encode()


def described(random: np.random.Generator) -> Values:
    """A scene whose numbers are ordinary, or extreme."""
    odd = random.choice([0.0, 0.1, 0.5, 1.0])

    def number(low: float, high: float) -> float:
        ends = [low, high, *(value for value in SPECIAL if low <= value <= high)]
        return (
            float(random.choice(ends)) if random.random() < odd else float(random.uniform(max(low, -3), min(high, 3)))
        )

    def length() -> float:
        return number(1e-6, 1e6) if random.random() < odd else float(10 ** random.uniform(-2, 1))

    def vector(low: float = -1e6, high: float = 1e6, size: int = 3) -> list[float]:
        return [number(low, high) for _ in range(size)]

    def material() -> Values:
        fields: Values = {name: number(0, 1) for name in ("metallic", "specular", "roughness", "transmission")}
        fields |= {"base_color": vector(0, 1), "emission": vector(0, 1e6) if random.random() < 0.3 else [0, 0, 0]}
        return {name: value for name, value in fields.items() if random.random() < 0.7}

    def item() -> Values:
        shape = str(random.choice(["sphere", "ellipsoid", "box", "cylinder", "panel", "plane"]))
        sizes: dict[str, Values] = {
            "sphere": {"radius": length()},
            "ellipsoid": {"semi_axes": [length() for _ in range(3)], "rotation": vector(size=4)},
            "box": {"half_extents": [length() for _ in range(3)], "rotation": vector(size=4)},
            "cylinder": {"radius": length(), "half_height": length(), "rotation": vector(size=4)},
            "panel": {
                "half_extents": [length(), length()],
                "rotation": vector(size=4),
                "outline": str(random.choice(["rectangle", "ellipse"])),
            },
            "plane": {"normal": vector()},
        }
        made = material()
        if shape == "panel":
            made.pop("transmission", None)
        return {"shape": shape, "center": vector(), **sizes[shape], "material": made}

    objects = [item() for _ in range(random.integers(1, 7))]
    if random.random() < 0.2:
        objects.append(objects[0])  # the same again, in the same place
    look_at = objects[0]["center"] if random.random() < 0.7 else vector()
    camera = {"position": vector(), "look_at": look_at, "vertical_fov_degrees": number(1, 170)}
    if random.random() < 0.5:
        camera["up"] = vector()
    return {"schema_version": 1, "objects": objects, "camera": camera, "background": vector(0, 1e6)}


def broken_value(random: np.random.Generator, scene: Values) -> None:
    """Change one field or element, at any depth: to what is wrong or another number, gone, or misspelt."""
    holders = [holder for holder in containers(scene) if len(holder)]
    holder = holders[random.integers(len(holders))]
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key = keys[random.integers(len(keys))]
    match random.integers(5):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            names = ("radis", "\x1b[2J", "", "\ud800", "x" * 5000, "constructor", str(key).upper())
            holder[names[random.integers(len(names))]] = holder[key]
        case 2:
            holder[key] = float(random.choice(SPECIAL))
        case _:
            holder[key] = deepcopy(WRONG[random.integers(len(WRONG))])


def containers(value: Any) -> list[Any]:
    """All dictionaries and lists within a JSON value, itself among them."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict | list) else []
    return own + [found for part in inner for found in containers(part)]


def broken_text(random: np.random.Generator, text: str) -> bytes:
    """The text as no writer of JSON would leave it."""
    data = text.encode()
    place = int(random.integers(len(data)))
    deep = int(random.integers(1, 100_000))
    return [
        data[:place],
        data[:place] + bytes([data[place] ^ 1 << int(random.integers(8))]) + data[place + 1 :],
        data[:place] + b"\xff" + data[place:],
        b"\xef\xbb\xbf" + data,
        text.encode("utf-16"),
        data.replace(b'"shape"', b'"center": 0, "shape"', 1),
        data[:place] + b"[" * deep + data[place:],
        data[:place] + b'{"a":' * deep + b"}" * deep + data[place:],
        data + data,
        b"",
        b"[1, 2]",
        b"null",
        data.replace(b"1", b"1" * 5000, 1),
        data[:place] + b"\x00" + data[place:],
    ][random.integers(14)]
