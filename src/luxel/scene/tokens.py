"""Scenes as arrays: one vector of features an object, in camera space, padded to a common length.

This module owns the offsets; everyone else says `objects[..., FIELDS["center"]]`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64

from luxel.scene.camera import frame, tan_half_fov
from luxel.scene.description import Object, Scene

_WIDTHS = {
    "center": 3,  # scene units
    "rotation": 9,  # camera-from-object, row-major; the identity for a sphere, whichever way it is seen
    "semi_axes": 3,  # scene units
    "projection": 3,  # where the centre is seen and how large, in half image heights; within ±FAR
    "base_color": 3,
    "metallic": 1,
    "specular": 1,
    "roughness": 1,
    "transmission": 1,
    "emission": 3,  # radiance
    "log_emission": 3,  # log(1 + radiance), whose range suits a network
}


def _offsets(widths: dict[str, int]) -> dict[str, slice]:
    ends = np.cumsum(list(widths.values())).tolist()
    return {name: slice(end - width, end) for (name, width), end in zip(widths.items(), ends, strict=True)}


FIELDS: dict[str, slice] = _offsets(_WIDTHS)
OBJECT_FEATURES: int = sum(_WIDTHS.values())
LAYOUT: str = ",".join(f"{name}:{width}" for name, width in _WIDTHS.items())  # stored tokens must state it
FAR = 10.0  # what lies beyond this many half image heights, or behind the camera, is out of sight anyway


class Tokens(NamedTuple):
    """A batch of scenes; `mask` is True where an object is real, and features are 0 where it is not."""

    objects: Float32[np.ndarray, "batch objects features"]
    mask: Bool[np.ndarray, "batch objects"]
    camera: Float32[np.ndarray, "batch 1"]  # tangent of half the vertical field of view
    background: Float32[np.ndarray, "batch 3"]  # radiance


def encode(scenes: Sequence[Scene], objects: int | None = None) -> Tokens:
    """Tokens of the scenes, padded to `objects` or to the longest scene.

    Raises ValueError if a scene has more than `objects`.
    """
    longest = max(len(scene.objects) for scene in scenes)
    length = longest if objects is None else objects
    if longest > length:
        raise ValueError(f"a scene has {longest} objects, more than the {length} there is room for")
    features = np.zeros((len(scenes), length, OBJECT_FEATURES), np.float32)
    mask = np.zeros((len(scenes), length), bool)
    for row, scene in enumerate(scenes):
        count = len(scene.objects)
        features[row, :count] = _features(scene)
        mask[row, :count] = True
    camera = np.array([[tan_half_fov(scene.camera)] for scene in scenes], np.float32)
    background = np.array([scene.background for scene in scenes], np.float32)
    return Tokens(features, mask, camera, background)


def rotation_matrix(quaternion: Sequence[float] | Sequence[Sequence[float]]) -> Float64[np.ndarray, "*batch 3 3"]:
    """Rotations of quaternions (w, x, y, z), [..., 4], whose lengths are divided out."""
    array = np.asarray(quaternion, np.float64)
    w, x, y, z = np.moveaxis(array / np.linalg.norm(array, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def _features(scene: Scene) -> Float64[np.ndarray, "objects features"]:
    """Every field of every object of one scene, in the order of FIELDS."""
    origin, world_from_camera = frame(scene.camera)
    materials = [item.material for item in scene.objects]
    emission = np.array([material.emission for material in materials])
    center = (np.array([item.center for item in scene.objects]) - origin) @ world_from_camera
    semi_axes = np.array([item.semi_axes for item in scene.objects])
    columns = {
        "center": center,
        "rotation": np.array([_rotation(item, world_from_camera) for item in scene.objects]),
        "semi_axes": semi_axes,
        "projection": _projection(center, semi_axes.max(axis=1), tan_half_fov(scene.camera)),
        "base_color": np.array([material.base_color for material in materials]),
        "metallic": np.array([[material.metallic] for material in materials]),
        "specular": np.array([[material.specular] for material in materials]),
        "roughness": np.array([[material.roughness] for material in materials]),
        "transmission": np.array([[material.transmission] for material in materials]),
        "emission": emission,
        "log_emission": np.log1p(emission),
    }
    return np.concatenate([columns[name] for name in FIELDS], axis=1)


def _projection(
    center: Float64[np.ndarray, "objects 3"], radius: Float64[np.ndarray, "objects"], tan_half: float
) -> Float64[np.ndarray, "objects 3"]:
    """x and y of the centre in the image, and the bounding sphere's radius, over the image's half height.

    A network could divide by depth itself, but learns much faster if it need not.
    """
    half_height = np.maximum(-center[:, 2:], 1e-6) * tan_half
    return np.clip(np.concatenate([center[:, :2], radius[:, None]], axis=1) / half_height, -FAR, FAR)


def _rotation(item: Object, world_from_camera: Float64[np.ndarray, "3 3"]) -> Float64[np.ndarray, "9"]:
    if item.shape == "sphere":
        return np.eye(3).reshape(9)
    return (world_from_camera.T @ rotation_matrix(item.rotation)).reshape(9)
