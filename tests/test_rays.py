"""Rays and the image plane, against the scene's own camera."""

import numpy as np
import pytest
import torch
import warp as wp
from kernels import DEVICES, run, uniform_numbers
from pinhole import primary_rays
from tracer_scenes import CAMERA, ball, scene

from luxel.core.rays import (
    Rays,
    camera_direction,
    camera_origin,
    image_plane_point,
    image_plane_point_of,
    image_plane_rays,
)
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.scene import Camera

WIDE = Camera(position=(-2, 3, 5), look_at=(0.5, 1, -1), up=(1, 0.2, 0.1), vertical_fov_degrees=120)
WIDTH, HEIGHT = 7, 5


@wp.kernel(enable_backward=False)
def plane_points(place: wp.array[wp.vec2], tan_half_fov: wp.array[float], point: wp.array[wp.vec2]):
    i = wp.tid()
    point[i] = image_plane_point(place[i][0], place[i][1], 7, 5, tan_half_fov[i])


@wp.kernel(enable_backward=False)
def camera_directions(scenes: Scenes, scene: wp.array[int], point: wp.array[wp.vec2], direction: wp.array[wp.vec3]):
    i = wp.tid()
    direction[i] = camera_direction(scenes, scene[i], point[i])


def centres() -> np.ndarray:
    """Of the pixels, in pixels from the upper left, row by row."""
    column, row = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    return np.stack([column.ravel(), row.ravel()], 1).astype(np.float32)


def points(place: np.ndarray, batch: SceneBatch, number: int, device: str) -> np.ndarray:
    tangent = np.full(len(place), batch.tan_half_fov[number].item(), np.float32)
    return run(plane_points, place, tangent, device=device)[0]


@pytest.mark.parametrize("device", DEVICES)
def test_pixels_centres_are_the_cameras_rays(device):
    cameras = [CAMERA, WIDE]
    batch = SceneBatch.of([scene(ball(0, 0, 0, 1), camera=camera) for camera in cameras], device)
    for number, camera in enumerate(cameras):
        xy = points(centres(), batch, number, device)
        which = np.full(len(xy), number, np.int32)
        found = run(camera_directions, launchable(batch), which, xy, device=device)[0]
        expected = primary_rays(camera, WIDTH, HEIGHT)
        np.testing.assert_allclose(found, expected.directions.reshape(-1, 3), atol=3e-7)
        rays = image_plane_rays(batch, *(torch.from_numpy(array).to(device) for array in (xy, which)))
        np.testing.assert_allclose(rays.unit_direction.cpu(), found, atol=3e-7)
        np.testing.assert_allclose(rays.origin.cpu(), np.tile(camera.position, (len(xy), 1)), rtol=1e-6)
        assert rays.scene.tolist() == which.tolist()


@pytest.mark.parametrize("device", DEVICES)
def test_the_image_plane_by_hand(device):
    """The middle is ahead, row 0 at the top, half the height is the tangent; pixels are square."""
    place = np.array([[3.5, 2.5], [3.5, 0], [3.5, 5], [0, 2.5], [7, 2.5]], np.float32)
    found = run(plane_points, place, np.full(5, 0.5, np.float32), device=device)[0]
    np.testing.assert_allclose(found, [[0, 0], [0, 0.5], [0, -0.5], [-0.7, 0], [0.7, 0]], atol=1e-7)


@pytest.mark.parametrize("device", DEVICES)
def test_rays_of_the_image_plane_have_depth_1_and_derivatives(device):
    batch = SceneBatch.of([scene(ball(0, 0, 0, 1))], device)
    xy = torch.from_numpy(uniform_numbers(31, 2, 0)).to(device).requires_grad_()
    rays = image_plane_rays(batch, xy, torch.zeros(31, dtype=torch.int32, device=device))
    depth = -(rays.direction @ batch.camera_rotation[0, :, 2])
    torch.testing.assert_close(depth, torch.ones_like(depth))
    (derivative,) = torch.autograd.grad((rays.direction @ batch.camera_rotation[0, :, 0]).sum(), xy)
    torch.testing.assert_close(derivative, torch.tensor([[1.0, 0]], device=device).expand(31, 2))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("length", [1e-30, 1e-13, 1.0, 1e20, 1e30])
def test_unit_directions_of_any_length(length, device):
    direction = torch.tensor([[0.6, 0, -0.8], [0, 1, 0], [2**-0.5, 2**-0.5, 0]], device=device)
    rays = Rays(0 * direction, direction * length, torch.tensor([4, 5, 6], dtype=torch.int32, device=device))
    torch.testing.assert_close(rays.unit_direction, direction)
    assert len(rays) == 3
    moved = rays.to("cpu")
    assert moved.scene.tolist() == [4, 5, 6]
    assert moved.direction.device.type == "cpu"


@wp.kernel(enable_backward=False)
def camera_rays(
    scenes: Scenes,
    scene: wp.array[int],
    point: wp.array[wp.vec2],
    origin: wp.array[wp.vec3],
    direction: wp.array[wp.vec3],
    plane_point: wp.array[wp.vec2],
):
    i = wp.tid()
    origin[i] = camera_origin(scenes, scene[i], point[i])
    direction[i] = camera_direction(scenes, scene[i], point[i])
    plane_point[i] = image_plane_point_of(scenes, scene[i], origin[i] + 3.0 * direction[i], direction[i])


@pytest.mark.parametrize("device", DEVICES)
def test_orthographic_rays_by_hand(device):
    """Along y, with x to the right and z up: a ray begins beside the camera's place and goes ahead."""
    parallel = Camera(position=(1, -5, 2), look_at=(1, 0, 2), projection="orthographic", vertical_extent=4)
    batch = SceneBatch.of([scene(ball(0, 0, 0, 1), camera=camera) for camera in (WIDE, parallel)], device)
    xy = np.array([[0.5, -1.5], [0.5, -1.5]], np.float32)
    which = np.array([0, 1], np.int32)
    origin, direction, point = run(camera_rays, launchable(batch), which, xy, device=device)
    np.testing.assert_allclose(origin, [[-2, 3, 5], [1.5, -5, 0.5]], atol=1e-6)
    np.testing.assert_allclose(direction[1], [0, 1, 0], atol=1e-7)
    np.testing.assert_allclose(point, xy, atol=1e-5)
    rays = image_plane_rays(batch, *(torch.from_numpy(array).to(device) for array in (xy, which)))
    np.testing.assert_allclose(rays.origin.cpu(), origin, atol=1e-6)
    np.testing.assert_allclose(rays.unit_direction.cpu(), direction, atol=3e-7)
