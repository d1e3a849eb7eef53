"""Optical flow between two frames, without noise: where in the later one is what a pixel of the first shows.

A place x on an object is A⁻¹ x in its unit space, and so A' A⁻¹ x in the later frame, A being world from unit. Seen
by the later camera, less where it was seen: flow. What is hidden in the later frame, or out of it, has flow, too.
"""

import numpy as np
from jaxtyping import Float32, Float64

from luxel import InputError
from luxel.data.annotations import Annotations, camera_from_world, intrinsics, project_homogeneous
from luxel.scene.description import Camera, Object, Scene
from luxel.scene.placing import world_from_unit


def forward_flow(labels: Annotations, scene: Scene, later: Scene) -> Float32[np.ndarray, "height width 2"]:
    """(dx, dy) in pixels, x right and y down, of the object that covers most of each pixel of `scene`, or of the sky.

    `labels` are those of `scene`. From a pixel's centre to where the place that is seen there is in `later`, a frame of
    the same objects. The sky is infinitely far. NaN for what is not in front of the later camera then, and for the sky
    of an orthographic camera that moves, as nothing tells how far it goes. Raises InputError for other objects.
    """
    if [item.shape for item in scene.objects] != [item.shape for item in later.objects]:
        raise InputError(
            f"later has {len(later.objects)} objects, must have those of scene, {len(scene.objects)}, in the same order"
        )
    height, width = labels.depth.shape
    pixels = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), -1)
    places = seen_places(scene.camera, pixels, labels.depth.astype(np.float64))
    is_still = np.full((height, width), scene.camera == later.camera)
    for number, (item, moved) in enumerate(zip(scene.objects, later.objects, strict=True)):
        if (motion := motion_of(item, moved)) is not None:
            chosen = labels.object_number == number
            places[chosen] = places[chosen] @ motion.T
            is_still &= ~chosen
    found = project_homogeneous(later.camera, places, width, height) - pixels
    return np.where(is_still[..., None], 0.0, found).astype(np.float32)


def motion_of(item: Object, moved: Object) -> Float64[np.ndarray, "4 4"] | None:
    """What takes a place on an object to where it is when that has moved, world space; None if it has not."""
    before, after = ((each.center, each.rotation, each.scale) for each in (item, moved))
    if before == after:
        return None
    motion: Float64[np.ndarray, "4 4"] = world_from_unit(moved) @ np.linalg.inv(world_from_unit(item))
    return motion


def seen_places(
    camera: Camera, pixels: Float64[np.ndarray, "height width 2"], depth: Float64[np.ndarray, "height width"]
) -> Float64[np.ndarray, "height width 4"]:
    """Homogeneous places in world space that pixel coordinates show at a depth; a direction where that is infinite."""
    height, width = depth.shape
    rays = np.concatenate([pixels, np.ones_like(pixels[..., :1])], -1)
    rays = rays @ np.linalg.inv(intrinsics(camera, width, height)).T
    is_sky = np.isinf(depth)
    z = np.where(is_sky, 1.0, depth)[..., None]
    if camera.is_orthographic:
        local = np.concatenate([np.where(is_sky[..., None], 0.0, rays[..., :2]), z], -1)
    else:
        local = rays * z
    homogeneous = np.concatenate([local, np.where(is_sky, 0.0, 1.0)[..., None]], -1)
    places: Float64[np.ndarray, "height width 4"] = homogeneous @ np.linalg.inv(camera_from_world(camera)).T
    return places
