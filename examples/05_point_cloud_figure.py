"""A point cloud as papers show it: one sphere a point, white ground, a soft shadow, the colour by the height.

    python examples/05_point_cloud_figure.py

Takes about half a minute. Writes trefoil.npy, 2 048 points of a knotted tube with colours, which `luxel render
trefoil.npy` takes as well; trefoil_paper.png and its like, one a look; and looks.png, all of them side by side.
"""

from typing import get_args

import numpy as np
from matplotlib import colormaps

from luxel import Renderer, save_image
from luxel.scene import from_points
from luxel.scene.figures.looks import LookName


def trefoil(points: int = 2048, seed: int = 0) -> np.ndarray:
    """Points [points, 3] on a tube about a trefoil knot, evenly enough: of 8 times as many the farthest ones."""
    random = np.random.default_rng(seed)
    t, around = random.uniform(0, 2 * np.pi, (2, 8 * points))
    knot = np.stack([np.sin(t) + 2 * np.sin(2 * t), -np.sin(3 * t), np.cos(t) - 2 * np.cos(2 * t)], 1)
    tangent = np.stack([np.cos(t) + 4 * np.cos(2 * t), -3 * np.cos(3 * t), -np.sin(t) + 4 * np.sin(2 * t)], 1)
    normal = np.cross(tangent, [0.0, 1.0, 0.0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    binormal = np.cross(tangent, normal)
    binormal /= np.linalg.norm(binormal, axis=1, keepdims=True)
    tube = knot + 0.55 * (np.cos(around)[:, None] * normal + np.sin(around)[:, None] * binormal)
    return farthest_points(tube, points)


def farthest_points(candidates: np.ndarray, count: int) -> np.ndarray:
    """`count` of the candidates, each the farthest from those before it, as papers sample shapes (Gonzalez 1985)."""
    chosen = [0]
    nearest = np.full(len(candidates), np.inf)
    while len(chosen) < count:
        nearest = np.minimum(nearest, ((candidates - candidates[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(nearest.argmax()))
    return candidates[chosen]


def main(points: int = 2048, side: int = 512) -> None:
    """Render the cloud in every look."""
    cloud = trefoil(points)
    height = (cloud[:, 2] - cloud[:, 2].min()) / np.ptp(cloud[:, 2])
    colors = colormaps["viridis"](height)[:, :3]
    np.save("trefoil.npy", np.concatenate([cloud, colors], 1))
    renderer = Renderer.from_pretrained("ray-base")
    pictures = {look: renderer(from_points(cloud, colors, look=look), side) for look in get_args(LookName)}
    for look, picture in pictures.items():
        save_image(f"trefoil_{look}.png", picture)
    save_image("looks.png", np.concatenate(list(pictures.values()), axis=1))


if __name__ == "__main__":
    main()
