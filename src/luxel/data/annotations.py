"""What a picture shows, without noise: masks, boxes, depth, normals, base colours, and the camera's matrices.

Legend: objects, in the scene's order; row 0 is the top. Pixel coordinates (x, y) start at the picture's upper left
corner, so that the first pixel's centre is (0.5, 0.5). Camera space is OpenCV's: x right, y down, z forward.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, Int64

from luxel import InputError
from luxel.configuration import Pixels, checker, shortened
from luxel.core.coverage import object_coverage
from luxel.core.intersect import MISS
from luxel.core.scene_batch import SceneBatch
from luxel.data.whole_boxes import whole_box
from luxel.scene.camera import frame, rotation_matrix, tan_half_fov
from luxel.scene.description import Camera, Scene
from luxel.scene.placing import affine, world_from_unit
from luxel.trace.first_hits import first_hit_features

check_side = checker(Pixels)

OPENCV_FROM_OPENGL = np.array([[1.0], [-1.0], [-1.0]])
UNIT_CORNERS = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])


@dataclass(frozen=True)
class Annotations:
    """Labels of one picture."""

    visible: Float32[np.ndarray, "objects height width"]
    """The share of each pixel that the object covers, 0 … 1, behind what hides it."""
    amodal: Float32[np.ndarray, "objects height width"]
    """The same as if the object were alone; it ends at the picture's border."""
    visible_box: Int64[np.ndarray, "objects 4"]
    """(x0, y0, x1, y1) in pixels around all that `visible` covers, x1 and y1 exclusive; zeros if it covers nothing."""
    amodal_box: Int64[np.ndarray, "objects 4"]
    """The same of `amodal`."""
    whole_box: Float64[np.ndarray, "objects 4"]
    """(x0, y0, x1, y1) in pixels around the whole object, maybe outside the picture, as if that had no border.

    NaN for a plane, and for an object of which a part is not in front of the camera.
    """
    box_center: Float64[np.ndarray, "objects 3"]
    """Of the oriented box in world space, scene units."""
    box_half_extents: Float64[np.ndarray, "objects 3"]
    """Along the box's own axes, scene units; infinite for a plane."""
    box_rotation: Float64[np.ndarray, "objects 3 3"]
    """World from the box's own axes."""
    box_corners: Float64[np.ndarray, "objects 8 2"]
    """(x, y) in pixels, maybe outside the picture, of the corners (−, −, −), (−, −, +) … (+, +, +).

    NaN for a corner that is not in front of the camera, and for a plane's.
    """
    intrinsics: Float64[np.ndarray, "3 3"]
    """K: pixel coordinates from camera space, times depth; of an orthographic camera, see `intrinsics`."""
    camera_from_world: Float64[np.ndarray, "4 4"]
    """OpenCV's extrinsic matrix; a rotation and a shift, scene units."""
    depth: Float32[np.ndarray, "height width"]
    """Along the viewing direction (z, not the ray's length), scene units; infinite where the sky covers most."""
    normal: Float32[np.ndarray, "height width 3"]
    """World space, towards the viewer, blended by coverage; the sky's is 0."""
    albedo: Float32[np.ndarray, "height width 3"]
    """Base colour, linear RGB, blended by coverage; the sky's is 0."""
    object_number: Int64[np.ndarray, "height width"]
    """The object that covers most of the pixel; −1 where the sky does."""
    flow: Float32[np.ndarray, "height width 2"] | None = None
    """(dx, dy) in pixels to the next frame, of a movie's frame that has one: `luxel.data.flow`."""


def annotate(scene: Any, width: int, height: int, pixel_rays: int = 32) -> Annotations:
    """All labels of a scene's picture; pixels that several objects share are resolved by `pixel_rays` rays each.

    Raises InputError for what is no scene, and for sides that are no picture's.
    """
    if not isinstance(scene, Scene):
        raise InputError(f"scene is {shortened(scene)}, must be a Scene; read a file with Scene.load")
    check_side("width", width)
    check_side("height", height)
    batch = SceneBatch.of([scene])
    features = first_hit_features(batch, width, height, pixel_rays)
    visible, amodal = (masks.numpy() for masks in object_coverage(batch, features.fragments, pixel_rays))
    scale = np.array([item.scale for item in scene.objects], np.float64)
    planes = np.array([item.shape == "plane" for item in scene.objects])
    flat = np.array([item.shape == "panel" for item in scene.objects])
    scale[flat, 2] = 0.0
    scale[planes] = np.inf
    center = np.array([item.center for item in scene.objects], np.float64)
    rotation = rotation_matrix([item.rotation for item in scene.objects])
    finite = np.where(planes[:, None], np.nan, scale)
    corners = center[:, None] + np.einsum("nij,nkj->nki", rotation, UNIT_CORNERS * finite[:, None])
    extrinsics = camera_from_world(scene.camera)
    pixels_from_world = projection(scene.camera, width, height)
    return Annotations(
        visible=visible,
        amodal=amodal,
        visible_box=np.stack([box_of(mask) for mask in visible]),
        amodal_box=np.stack([box_of(mask) for mask in amodal]),
        whole_box=np.stack(
            [whole_box(item, world_from_unit(item), pixels_from_world, extrinsics[2]) for item in scene.objects]
        ),
        box_center=center,
        box_half_extents=scale,
        box_rotation=rotation,
        box_corners=project(scene.camera, corners, width, height),
        intrinsics=intrinsics(scene.camera, width, height),
        camera_from_world=extrinsics,
        depth=features.depth[0].numpy(),
        normal=features.normal[0].numpy(),
        albedo=features.albedo[0].numpy(),
        object_number=torch.where(features.object_number[0] == MISS, -1, features.object_number[0]).numpy(),
    )


def intrinsics(camera: Camera, width: int, height: int) -> Float64[np.ndarray, "3 3"]:
    """OpenCV's K of a picture of this size, with square pixels and the principal point in its middle.

    An orthographic camera has no such matrix: its K times (x, y, 1) in camera space gives pixels at any depth.
    """
    focal_length = height / (2 * tan_half_fov(camera))
    return np.array([[focal_length, 0, width / 2], [0, focal_length, height / 2], [0, 0, 1]])


def camera_from_world(camera: Camera) -> Float64[np.ndarray, "4 4"]:
    """OpenCV's extrinsic matrix: camera space (x right, y down, z forward) from world space."""
    origin, world_from_opengl = frame(camera)
    rotation = OPENCV_FROM_OPENGL * world_from_opengl.T
    return affine(rotation, -rotation @ origin)


def projection(camera: Camera, width: int, height: int) -> Float64[np.ndarray, "3 4"]:
    """Homogeneous pixel coordinates from homogeneous ones in world space: (x, y, 1) times the third."""
    local = camera_from_world(camera)
    if camera.is_orthographic:
        local[2] = 0, 0, 0, 1
    matrix: Float64[np.ndarray, "3 4"] = intrinsics(camera, width, height) @ local[:3]
    return matrix


def project(
    camera: Camera, points: Float64[np.ndarray, "*batch 3"], width: int, height: int
) -> Float64[np.ndarray, "*batch 2"]:
    """Pixel coordinates of points in world space; NaN for those that are not in front of the camera."""
    return project_homogeneous(camera, np.concatenate([points, np.ones_like(points[..., :1])], -1), width, height)


def project_homogeneous(
    camera: Camera, points: Float64[np.ndarray, "*batch 4"], width: int, height: int
) -> Float64[np.ndarray, "*batch 2"]:
    """Pixel coordinates of homogeneous points; NaN for those that are not in front of the camera, or have none."""
    x, y, w = np.moveaxis(points @ projection(camera, width, height).T, -1, 0)
    is_seen = (points @ camera_from_world(camera)[2] > 0) & (w > 0)
    return np.stack([x, y], -1) / np.where(is_seen, w, np.nan)[..., None]


def box_of(mask: Float32[np.ndarray, "height width"] | Bool[np.ndarray, "height width"]) -> Int64[np.ndarray, "4"]:
    """(x0, y0, x1, y1) around all pixels above 0, x1 and y1 exclusive; zeros if there are none."""
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    if not len(columns):
        return np.zeros(4, np.int64)
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.int64)
