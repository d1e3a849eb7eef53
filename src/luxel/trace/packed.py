"""A batch of scenes as tensors: what the path tracer reads.

Shapes: scenes may have different numbers of objects and lights; both are padded to a power of two, so that
few shapes occur. Tables are [field, scene, object], for gathering what a ray has hit; what meets every ray is
[…, object, scene, 1].
"""

import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int32, Int64
from torch import Tensor

from luxel.geometry.intersect import Shapes, every_ray, gathered
from luxel.scene.camera import frame, rotation_matrix, tan_half_fov
from luxel.scene.description import Material, Object, Scene, scene_id

MIN_WIDTH = 0.001  # of the microfacet distribution, which is Mitsuba's bound
MIN_SPECULAR = 0.001  # with transmission and no specular, as Mitsuba has it: an index of 1 would not refract


class Materials(NamedTuple):
    """Parameters of Mitsuba's `principled` BSDF and the emitted radiance; all of them may need gradients."""

    base_color: Float[Tensor, "3 *objects"]
    metallic: Float[Tensor, "*objects"]
    roughness: Float[Tensor, "*objects"]
    transmission: Float[Tensor, "*objects"]
    eta: Float[Tensor, "*objects"]  # index of refraction, inside over outside
    emission: Float[Tensor, "3 *objects"]  # radiance


class Lights(NamedTuple):
    """Objects that emit; slots beyond a scene's last have no power and the object −1."""

    item: Int64[Tensor, "lights scenes 1"]
    power: Float[Tensor, "lights scenes 1"]  # mean of the radiance's channels
    shapes: Shapes  # [..., lights, scenes, 1]
    slot: Int64[Tensor, "scenes objects"]  # of the light that an object is, or 0


class Cameras(NamedTuple):
    """Pinhole cameras: a ray through (x, y), in half image heights, is right · x + up · y + forward."""

    position: Float[Tensor, "3 scenes 1"]
    right: Float[Tensor, "3 scenes 1"]
    up: Float[Tensor, "3 scenes 1"]
    forward: Float[Tensor, "3 scenes 1"]


class Packed(NamedTuple):
    """Scenes of one bucket."""

    shapes: Shapes  # [..., scenes, objects]
    real: Bool[Tensor, "scenes objects"]
    materials: Materials  # [..., scenes, objects]
    lights: Lights
    background: Float[Tensor, "3 scenes 1"]
    cameras: Cameras
    key: Int32[Tensor, "2 scenes 1"]  # of the random numbers


def bucket(count: int) -> int:
    """The next power of two, 0 for 0."""
    return 1 << (count - 1).bit_length() if count else 0


def buckets(scene: Scene) -> tuple[int, int]:
    """What the numbers of objects and of lights are padded to."""
    return bucket(len(scene.objects)), bucket(sum(item.material.is_emissive for item in scene.objects))


def pack(scenes: Sequence[Scene], seed: int, device: torch.device) -> Packed:
    """The scenes as float32 tensors, padded to the largest of their buckets."""
    objects, lights = (max(sizes) for sizes in zip(*(buckets(scene) for scene in scenes), strict=True))

    def tensor(array: np.ndarray) -> Tensor:
        kind = np.float32 if array.dtype.kind == "f" else array.dtype
        return torch.from_numpy(np.ascontiguousarray(array, kind)).to(device)

    filler: Object = scenes[0].objects[0]
    rows = [[*scene.objects, *[filler] * (objects - len(scene.objects))] for scene in scenes]
    shapes = [[_shape(item) for item in row] for row in rows]
    materials = [[_material(item.material) for item in row] for row in rows]
    real = np.array([[column < len(scene.objects) for column in range(objects)] for scene in scenes])
    item, slot = _light_slots(scenes, objects, lights)
    shape_tensors = Shapes(*(tensor(_objects_last(fields)) for fields in _transposed(shapes)))
    material_tensors = Materials(*(tensor(_objects_last(fields)) for fields in _transposed(materials)))
    return Packed(
        shape_tensors,
        tensor(real),
        material_tensors,
        _lights(shape_tensors, material_tensors, tensor(item), tensor(slot)),
        tensor(np.array([scene.background for scene in scenes], np.float64).T[:, :, None]),
        Cameras(*(tensor(np.stack(vectors, axis=1)[:, :, None]) for vectors in _transposed_rows(scenes))),
        tensor(np.array([_key(scene, seed) for scene in scenes]).T[:, :, None]),
    )


def refractive_index(specular: float, transmits: bool) -> float:
    """Index of refraction whose reflectance at normal incidence is 8 % of `specular` (Burley 2015)."""
    amount = MIN_SPECULAR if transmits and specular == 0 else specular
    return 2 / (1 - math.sqrt(0.08 * amount)) - 1


def _shape(item: Object) -> tuple[np.ndarray, ...]:
    axes = np.array(item.semi_axes)
    return (
        np.array(item.center),
        rotation_matrix(item.rotation).T / axes[:, None],
        axes**2,
        np.array(axes.prod()),
    )


def _material(material: Material) -> tuple[np.ndarray, ...]:
    return (
        np.array(material.base_color),
        np.array(material.metallic),
        np.array(material.roughness),
        np.array(material.transmission),
        np.array(refractive_index(material.specular, material.transmission > 0)),
        np.array(material.emission),
    )


def _light_slots(scenes: Sequence[Scene], objects: int, lights: int) -> tuple[np.ndarray, np.ndarray]:
    """Object of every light, [scenes, lights], and light of every object, [scenes, objects]."""
    item = np.full((len(scenes), lights), -1)
    slot = np.zeros((len(scenes), objects), np.int64)
    for row, scene in enumerate(scenes):
        emissive = [column for column, thing in enumerate(scene.objects) if thing.material.is_emissive]
        item[row, : len(emissive)] = emissive
        slot[row, emissive] = np.arange(len(emissive))
    return item, slot


def _lights(
    shapes: Shapes,
    materials: Materials,
    item: Int64[Tensor, "scenes lights"],
    slot: Int64[Tensor, "scenes objects"],
) -> Lights:
    *geometry, emission = gathered([*shapes, materials.emission], item.clamp(min=0))
    power = torch.where(item >= 0, emission.mean(0), 0.0)
    return Lights(item.T[..., None].contiguous(), power.T[..., None].contiguous(), every_ray(Shapes(*geometry)), slot)


def _transposed(rows: list[list[tuple[np.ndarray, ...]]]) -> list[np.ndarray]:
    """One array [scenes, objects, ...] for each field of objects in scenes."""
    return [np.array([[item[field] for item in row] for row in rows]) for field in range(len(rows[0][0]))]


def _transposed_rows(scenes: Sequence[Scene]) -> list[list[np.ndarray]]:
    """The fields of Cameras, a list of one vector a scene each."""
    frames = [frame(scene.camera) for scene in scenes]
    half = [tan_half_fov(scene.camera) for scene in scenes]
    return [
        [one.origin for one in frames],
        [one.rotation[:, 0] * scale for one, scale in zip(frames, half, strict=True)],
        [one.rotation[:, 1] * scale for one, scale in zip(frames, half, strict=True)],
        [-one.rotation[:, 2] for one in frames],
    ]


def _objects_last(field: np.ndarray) -> np.ndarray:
    """[scenes, objects, ...] as [..., scenes, objects]."""
    return np.moveaxis(field, (0, 1), (-2, -1))


def _key(scene: Scene, seed: int) -> np.ndarray:
    """64 bits, as two int32, that depend on the scene's content and the seed."""
    digest = hashlib.sha256(f"{seed}/{scene_id(scene)}".encode()).digest()
    return np.frombuffer(digest[:8], "<i4")
