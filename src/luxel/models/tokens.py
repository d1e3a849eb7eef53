"""Scenes as the image model reads them: one vector of features an object, in camera space, padded to a common length.

This module owns the offsets; everyone else says `objects[..., FIELDS["center"]]`.
"""

from itertools import accumulate
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from luxel import InputError
from luxel.core.scene_batch import SceneBatch, rotation_matrix
from luxel.core.shapes.kinds import PLANE, SPHERE

_WIDTHS = {
    "center": 3,  # scene units
    "rotation": 9,  # camera-from-object, row-major; the identity for a sphere, whichever way it is seen
    "semi_axes": 3,  # scene units; `scale` of any shape
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
    ends = accumulate(widths.values())
    return {name: slice(end - width, end) for (name, width), end in zip(widths.items(), ends, strict=True)}


FIELDS: dict[str, slice] = _offsets(_WIDTHS)
OBJECT_FEATURES: int = sum(_WIDTHS.values())
FAR = 10.0  # what lies beyond this many half image heights, or behind the camera, is out of sight anyway
MIN_DEPTH = 1e-6  # scene units, for which less is taken


class Tokens(NamedTuple):
    """A batch of scenes; `mask` is True where an object is real, and features are 0 where it is not."""

    objects: Float[Tensor, "batch objects features"]
    mask: Bool[Tensor, "batch objects"]
    camera: Float[Tensor, "batch 1"]  # tangent of half the vertical field of view
    background: Float[Tensor, "batch 3"]  # radiance


def encode(scenes: SceneBatch, objects: int | None = None) -> Tokens:
    """Tokens of the scenes, padded to `objects` or to the longest scene; a function of the batch's leaves to torch.

    Shapes cannot be told apart by them: the image model is for spheres and ellipsoids alone. Raises ValueError if a
    scene has more than `objects`, and InputError for light from outside that is more than a background.
    """
    if not scenes.has_constant_skies:
        raise InputError(
            "a scene has a sky or a sun, but an image model knows no light from outside but the background; "
            "take a ray model"
        )
    length = int(scenes.counts.max()) if objects is None else objects
    features = scenes.padded(_features(scenes), length)
    mask = torch.arange(length, device=scenes.device) < scenes.counts.to(scenes.device)[:, None]
    return Tokens(features, mask, scenes.tan_half_fov[:, None], scenes.background)


def _features(scenes: SceneBatch) -> Float[Tensor, "objects features"]:
    """Every field of every object, in the order of FIELDS; geometry in float64, as centres may lie far out."""
    scene = scenes.scene_of_object
    camera_from_world = scenes.camera_rotation.double().mT[scene]
    offset = scenes.center.double() - scenes.camera_position.double()[scene]
    center = (camera_from_world @ offset[:, :, None])[:, :, 0]
    columns = {
        "center": center,
        "rotation": _rotation(scenes, camera_from_world).flatten(1),
        "semi_axes": scenes.scale,
        "projection": _projection(scenes, center, scenes.tan_half_fov.double()[scene]),
        "base_color": scenes.base_color,
        "metallic": scenes.metallic[:, None],
        "specular": scenes.specular[:, None],
        "roughness": scenes.roughness[:, None],
        "transmission": scenes.transmission[:, None],
        "emission": scenes.emission,
        "log_emission": scenes.emission.log1p(),
    }
    return torch.cat([columns[name].to(scenes.center.dtype) for name in FIELDS], 1)


def _projection(
    scenes: SceneBatch, center: Float64[Tensor, "objects 3"], tan_half_fov: Float64[Tensor, " objects"]
) -> Float64[Tensor, "objects 3"]:
    """x and y of the centre in the image, and the largest extent from it, over the image's half height.

    A network could divide by depth itself, but learns much faster if it need not.
    """
    scale = scenes.scale.double()
    extent = torch.where(scenes.is_panel, scale[:, :2].amax(1), scale.amax(1))  # a panel's third is 1, of nothing
    half_height = (-center[:, 2]).clamp(min=MIN_DEPTH) * tan_half_fov
    seen = (torch.cat([center[:, :2], extent[:, None]], 1) / half_height[:, None]).clamp(-FAR, FAR)
    endless = (scenes.kind == PLANE)[:, None] & (torch.arange(3, device=seen.device) == 2)
    return torch.where(endless, FAR, seen)


def _rotation(scenes: SceneBatch, camera_from_world: Float64[Tensor, "objects 3 3"]) -> Float64[Tensor, "objects 3 3"]:
    turned = camera_from_world @ rotation_matrix(scenes.rotation)
    identity = torch.eye(3, dtype=turned.dtype, device=turned.device)
    return torch.where((scenes.kind == SPHERE)[:, None, None], identity, turned)
