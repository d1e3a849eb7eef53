"""A batch of scenes as tensors: what the path tracer reads.

Objects are rows of numbers, since a path reads all of those of the object that it has hit. Scenes may have different
numbers of objects and lights; all are padded to the largest.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int32
from torch import Tensor

from luxel.geometry.intersect import NOTHING
from luxel.geometry.vectors import Vector
from luxel.scene.camera import frame, rotation_matrix, tan_half_fov
from luxel.scene.description import MIN_SPECULAR, Material, Object, Scene, scene_id

MIN_WIDTH = 0.001  # of the microfacet distribution, which is Mitsuba's bound
EMISSION = slice(7, 10)  # in the row of a material


class Materials(NamedTuple):
    """Parameters of Mitsuba's `principled` BSDF and the emitted radiance, in the order of a row's fields."""

    base_color: Vector
    metallic: Float[Tensor, "*lanes"]
    roughness: Float[Tensor, "*lanes"]
    transmission: Float[Tensor, "*lanes"]
    eta: Float[Tensor, "*lanes"]  # index of refraction, inside over outside
    emission: Vector  # radiance

    @staticmethod
    def of(fields: Sequence[Float[Tensor, "*lanes"]]) -> "Materials":
        """The materials of these ten fields."""
        f = fields
        return Materials(Vector(*f[0:3]), f[3], f[4], f[5], f[6], Vector(*f[EMISSION]))


class Packed(NamedTuple):
    """Scenes, each with as many objects and lights as the one that has the most."""

    shapes: Float[Tensor, "scenes objects 16"]  # see `luxel.geometry.intersect.Shapes`
    real: Bool[Tensor, "scenes objects"]
    materials: Float[Tensor, "scenes objects 10"]  # see Materials; may need gradients
    lights: Float[Tensor, "scenes lights 17"]  # see `luxel.trace.lights.Lights`
    light_items: Int32[Tensor, "scenes lights"]  # the objects that they are, or −1
    background: Float[Tensor, "scenes 3"]
    cameras: Float[Tensor, "scenes 12"]  # position, right, up, forward: to (x, y) in half heights goes
    # right · x + up · y + forward
    key: Int32[Tensor, "scenes 2"]  # of the random numbers


def pack(scenes: Sequence[Scene], seed: int, device: torch.device) -> Packed:
    """The scenes as float32 tensors."""
    items = [item for scene in scenes for item in scene.objects]
    owner = np.repeat(np.arange(len(scenes)), [len(scene.objects) for scene in scenes])
    column = np.concatenate([np.arange(len(scene.objects)) for scene in scenes])
    shapes, materials = _shape_rows(items), _material_rows([item.material for item in items])
    emissive = np.array([item.material.is_emissive for item in items])
    lights = np.concatenate([shapes, materials[:, EMISSION].mean(1, keepdims=True)], axis=1)[emissive]
    # The number of a light among its scene's: how many there are up to it, less those of the scenes before.
    count = np.bincount(owner[emissive], minlength=len(scenes))
    slot = np.arange(len(lights)) - np.repeat(np.cumsum(count) - count, count)

    def table(place: tuple[np.ndarray, np.ndarray], rows: np.ndarray, filler: float | int) -> Tensor:
        """[scenes, most of a scene, fields]; of at least two, since one would be a case of its own to a compiler."""
        most = max(2, int(place[1].max()) + 1) if len(rows) else 0
        array = np.full((len(scenes), most, *rows.shape[1:]), filler)
        array[place] = rows
        return tensor(array)

    def tensor(array: np.ndarray, kind: type = np.float32) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, kind)).to(device)

    objects, emitters = (owner, column), (owner[emissive], slot)
    return Packed(
        table(objects, shapes, 1.0),
        table(objects, np.ones(len(items)), 0.0) > 0,
        table(objects, materials, 0.0),
        table(emitters, lights, 0.0),
        table(emitters, column[emissive], NOTHING).int(),
        tensor(np.array([scene.background for scene in scenes])),
        tensor(np.stack([_camera_row(scene) for scene in scenes])),
        tensor(np.stack([_key(scene, seed) for scene in scenes]), np.int32),
    )


def refractive_index(specular: float, transmits: bool) -> float:
    """Index of refraction whose reflectance at normal incidence is 8 % of `specular` (Burley 2015)."""
    amount = MIN_SPECULAR if transmits and specular == 0 else specular
    return 2 / (1 - math.sqrt(0.08 * amount)) - 1


def _shape_rows(items: Sequence[Object]) -> Float64[np.ndarray, "objects 16"]:
    axes = np.array([item.semi_axes for item in items])
    center = np.array([item.center for item in items])
    to_unit = rotation_matrix([item.rotation for item in items]).swapaxes(1, 2) / axes[:, :, None]
    return np.concatenate([center, to_unit.reshape(-1, 9), axes**2, axes.prod(1, keepdims=True)], axis=1)


def _material_rows(materials: Sequence[Material]) -> Float64[np.ndarray, "objects 10"]:
    return np.array(
        [
            (
                *material.base_color,
                material.metallic,
                material.roughness,
                material.transmission,
                refractive_index(material.specular, material.transmission > 0),
                *material.emission,
            )
            for material in materials
        ]
    )


def _camera_row(scene: Scene) -> Float64[np.ndarray, "12"]:
    """The fields of Packed.cameras."""
    origin, rotation = frame(scene.camera)
    half = tan_half_fov(scene.camera)
    return np.concatenate([origin, rotation[:, 0] * half, rotation[:, 1] * half, -rotation[:, 2]])


def _key(scene: Scene, seed: int) -> np.ndarray:
    """64 bits, as two int32, that depend on the scene's content and the seed."""
    digest = hashlib.sha256(f"{seed}/{scene_id(scene)}".encode()).digest()
    return np.frombuffer(digest[:8], "<i4")
