"""How much of a picture each of some solids shows, by NumPy alone: scenes are made without torch and Warp."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float64, Int64

from luxel.scene.camera import frame, rotation_matrix, tan_half_fov
from luxel.scene.description import Box, Camera, Cylinder, Ellipsoid, Sphere

Solid: TypeAlias = Sphere | Ellipsoid | Box | Cylinder
VIEW = 160, 120  # pixels of the picture that is counted


def visible_pixels(things: Sequence[Solid], camera: Camera) -> Int64[np.ndarray, " things"]:
    """How many pixels of 320 × 240 show each object, from a picture of every fourth of them."""
    width, height = VIEW
    origin, rotation = frame(camera)
    scale = 2 * tan_half_fov(camera) / height
    x, y = np.meshgrid((np.arange(width) + 0.5 - width / 2) * scale, (height / 2 - np.arange(height) - 0.5) * scale)
    rays = np.stack([x, y, -np.ones_like(x)], -1).reshape(-1, 3) @ rotation.T
    distance = np.stack([_distance(thing, origin, rays) for thing in things])
    nearest = np.where(np.isfinite(distance.min(0)), distance.argmin(0), len(things))
    return np.bincount(nearest, minlength=len(things) + 1)[:-1] * 4


def _distance(
    thing: Solid, origin: Float64[np.ndarray, "3"], rays: Float64[np.ndarray, "rays 3"]
) -> Float64[np.ndarray, " rays"]:
    """Along each ray from outside to the object's unit shape, in rays' lengths; infinite if it misses or is behind."""
    unit_from_world = rotation_matrix(thing.rotation).T / np.array(thing.scale)[:, None]
    o, d = unit_from_world @ (origin - np.array(thing.center)), rays @ unit_from_world.T
    if isinstance(thing, Box):
        enters, leaves = _between(o, d, 3)
    elif isinstance(thing, Sphere | Ellipsoid):
        enters, leaves = _round(o, d)
    else:
        sides, caps = _round(o[:2], d[:, :2]), _between(o[2:], d[:, 2:], 1)
        enters, leaves = np.maximum(sides[0], caps[0]), np.minimum(sides[1], caps[1])
    hit: Bool[np.ndarray, " rays"] = (enters < leaves) & (enters > 0)
    return np.where(hit, enters, np.inf)


def _between(
    o: Float64[np.ndarray, " axes"], d: Float64[np.ndarray, "rays axes"], axes: int
) -> tuple[Float64[np.ndarray, " rays"], Float64[np.ndarray, " rays"]]:
    """Where rays enter and leave [−1, 1] along all axes (the slab method)."""
    steep = np.where(np.abs(d) < 1e-12, 1e-12, d)
    first, second = (-1 - o) / steep, (1 - o) / steep
    return np.minimum(first, second).max(1), np.maximum(first, second).min(1)


def _round(
    o: Float64[np.ndarray, " axes"], d: Float64[np.ndarray, "rays axes"]
) -> tuple[Float64[np.ndarray, " rays"], Float64[np.ndarray, " rays"]]:
    """Where rays enter and leave the unit ball, or circle: |o + t d| = 1."""
    a, b, c = (d * d).sum(1), d @ o, o @ o - 1
    root = np.sqrt(np.maximum(b * b - a * c, 0))
    return (-b - root) / a, (-b + root) / a
