"""A movie: Newton's cradle, its swing by formula, as a scene file with keyframes.

    python examples/07_newtons_cradle.py

Takes a few minutes. Writes newtons_cradle.json, which `luxel movie newtons_cradle.json` takes as well,
newtons_cradle.mp4, two periods, while the camera goes to the left and back, and frames of it in newtons_cradle.png.
Interrupted, it goes on when called again.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from luxel import Animation, Renderer, save_image
from luxel.movie import MovieSettings, film_of_animation, render_movie

BALLS, RADIUS, LENGTH, HEIGHT = 5, 0.3, 1.5, 2.2
"""Of the pendulums; the height is that of the bars that they hang from, all in scene units."""
DEPTH = 0.6  # of the bars, behind and before the balls: two strings a ball keep it in its plane
LEAN = math.atan2(DEPTH, LENGTH)  # of the strings, in radians
AMPLITUDE, PERIOD_S = math.radians(35), 2.0
FPS, PERIODS = 24, 2

STEEL = {"base_color": [0.9, 0.9, 0.92], "metallic": 1.0, "roughness": 0.12}
CHROME = {"base_color": [0.75, 0.77, 0.8], "metallic": 1.0, "roughness": 0.25}
THREAD = {"base_color": [0.75, 0.7, 0.6], "roughness": 0.6}
WOOD = {"base_color": [0.25, 0.1, 0.05], "roughness": 0.35}
TABLE = {"base_color": [0.55, 0.57, 0.6], "roughness": 0.7, "specular": 0.3}
WALL = {"base_color": [0.16, 0.22, 0.3], "roughness": 0.9, "specular": 0.2}


def swing(ball: int, time: float) -> float:
    """The angle of a ball's pendulum towards +x, in radians: small oscillations, φ'' = −ω² φ, and elastic collisions.

    The first ball has the whole motion while it is out to the left, the last one half a period later.
    """
    phase = math.cos(2 * math.pi * time / PERIOD_S)
    return {0: -AMPLITUDE * max(phase, 0.0), BALLS - 1: AMPLITUDE * max(-phase, 0.0)}.get(ball, 0.0)


def over_time(function: Any, moves: bool) -> Any:
    """A value, or keyframes of it, a frame each, if it moves."""
    frames = round(PERIODS * PERIOD_S * FPS)
    if not moves:
        return function(0.0)
    return {"keyframes": [[round(frame / FPS, 5), function(frame / FPS)] for frame in range(frames + 1)]}


def rounded(*numbers: float) -> list[float]:
    """Numbers of a file that people read."""
    return [round(number, 4) for number in numbers]


def pendulum(ball: int) -> list[dict[str, Any]]:
    """A ball and its two strings, which turn about the axis through their upper ends."""
    x = 2 * RADIUS * (ball - (BALLS - 1) / 2)
    moves = ball in (0, BALLS - 1)

    def below(distance: float, y: float, time: float) -> list[float]:
        angle = swing(ball, time)
        return rounded(x + distance * math.sin(angle), y, HEIGHT - distance * math.cos(angle))

    def turned(lean: float, time: float) -> list[float]:
        """The quaternion of a turn by −angle about y after one by `lean` about x."""
        (c, s), (cl, sl) = ((math.cos(a / 2), math.sin(a / 2)) for a in (-swing(ball, time), lean))
        return rounded(c * cl, c * sl, s * cl, -s * sl)

    strings = [
        {
            "shape": "cylinder",
            "center": over_time(lambda time, y=side * DEPTH / 2: below(LENGTH / 2, y, time), moves),
            "rotation": over_time(lambda time, lean=-side * LEAN: turned(lean, time), moves),
            "radius": 0.012,
            "half_height": round(math.hypot(DEPTH, LENGTH) / 2, 4),
            "material": THREAD,
        }
        for side in (-1, 1)
    ]
    center = over_time(lambda time: below(LENGTH, 0.0, time), moves)
    return [{"shape": "sphere", "center": center, "radius": RADIUS, "material": STEEL}, *strings]


def stand() -> list[dict[str, Any]]:
    """Two bars on four posts, and the board that they stand on."""
    half = RADIUS * BALLS + 0.6
    along_x, upright = [0.7071, 0.0, 0.7071, 0.0], [1.0, 0.0, 0.0, 0.0]
    parts: list[dict[str, Any]] = [
        {"shape": "cylinder", "center": [0, y, HEIGHT], "rotation": along_x, "radius": 0.05, "half_height": half}
        for y in (-DEPTH, DEPTH)
    ]
    parts += [
        {"shape": "cylinder", "center": [x, y, HEIGHT / 2], "rotation": upright, "radius": 0.05}
        | {"half_height": HEIGHT / 2}
        for x in (-half, half)
        for y in (-DEPTH, DEPTH)
    ]
    board = {"shape": "box", "center": [0, 0, 0.08], "half_extents": [half + 0.2, DEPTH + 0.25, 0.08], "material": WOOD}
    return [*(part | {"material": CHROME} for part in parts), board]


def cradle() -> dict[str, Any]:
    """The scene, as JSON has it."""
    lamp = {"shape": "panel", "center": [-2.5, -2.5, 6], "half_extents": [1.6, 1.6], "rotation": [0.2, 0.95, -0.2, 0]}
    wall = {"shape": "panel", "center": [0, 3.5, 3], "half_extents": [9, 4], "rotation": [0.7071, 0.7071, 0, 0]}
    length = PERIODS * PERIOD_S
    return {
        "schema_version": 1,
        "background": [0.4, 0.45, 0.52],
        "camera": {
            "position": {
                "keyframes": [[0, [1.6, -6.6, 2.3]], [length / 2, [-2.2, -6.3, 1.6]], [length, [1.6, -6.6, 2.3]]],
                "interpolation": "smooth",
            },
            "look_at": [0, 0, 1.1],
            "vertical_fov_degrees": 30,
        },
        "objects": [
            {"shape": "plane", "center": [0, 0, 0], "material": TABLE},
            lamp | {"material": {"base_color": [0, 0, 0], "emission": [9, 8.5, 7.5]}},
            wall | {"material": WALL},
            *stand(),
            *(part for ball in range(BALLS) for part in pendulum(ball)),
        ],
    }


def main(out: Path = Path("newtons_cradle.json"), width: int = 640, height: int = 360, fps: float = FPS) -> None:
    """Write the scene file, its movie and six frames of that in one picture."""
    scene = cradle()
    objects = ",\n".join(map(json.dumps, scene.pop("objects")))  # a line each
    out.write_text(f'{json.dumps(scene)[:-1]}, "objects": [\n{objects}\n]}}\n')
    renderer, film = Renderer.from_pretrained("ray-small"), film_of_animation(Animation.load(out), fps)
    rows = [
        [renderer(film[len(film) * n // 24], 2 * width // 5, 2 * height // 5) for n in row]
        for row in ((0, 3, 6), (9, 12, 15))
    ]
    save_image(out.with_suffix(".png"), np.concatenate([np.concatenate(row, axis=1) for row in rows]))
    render_movie(renderer, film, out.with_suffix(".mp4"), MovieSettings(width=width, height=height, fps=fps))
    print(f"{out.with_suffix('.mp4')}: {len(film)} frames; {out.with_suffix('.png')}")


if __name__ == "__main__":
    main()
