"""Places in a pixel: on the point's plane, no farther than the pixel's corners, and not behind what is beside it."""

import numpy as np
import pytest
import torch
import warp as wp

from luxel.core.fragments import visible_fragments
from luxel.core.intersect import MISS
from luxel.core.launch import launch, to_warp
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.models.shading_points import POINT, ShadingPoint, as_points, points_of_fragments
from luxel.models.subpixels import direction_to_light, point_in_pixel
from luxel.scene import Camera, Plane, Scene, Sphere

SIDE = 11
CAMERA = Camera(position=(0, -5, 3.0), look_at=(0, 0, 0), vertical_fov_degrees=30)
FLOOR, BALL = Plane(center=(0, 0, 0)), Sphere(center=(0, -1, 0.5), radius=0.5)


@wp.kernel(enable_backward=False)
def find_places(
    scenes: Scenes,
    points: wp.array[ShadingPoint],
    u: wp.array[wp.vec2],
    height: int,
    beside: int,
    place: wp.array[wp.vec3],
):
    i = wp.tid()
    place[i] = point_in_pixel(scenes, points[i], u[i], height, beside)


@wp.kernel(enable_backward=False)
def find_directions(
    scenes: Scenes,
    points: wp.array[ShadingPoint],
    place: wp.vec3,
    direction: wp.vec3,
    light: int,
    found: wp.array[wp.vec3],
):
    i = wp.tid()
    found[i] = direction_to_light(scenes, place, points[i], direction, light)


def places(scene: Scene, u: tuple[float, float], beside: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The points that all pixels show, a place of each, and the objects."""
    batch = SceneBatch.of([scene])
    found = visible_fragments(batch, SIDE, SIDE, 32)
    table = points_of_fragments(batch, found)
    place = torch.empty(len(table), 3)
    where = to_warp(torch.tensor([u]).repeat(len(table), 1), wp.vec2)
    inputs = [launchable(batch), as_points(table), where, SIDE, beside]
    launch(find_places, len(table), inputs, [to_warp(place, wp.vec3)], batch.device)
    return table[:, POINT : POINT + 3].view(torch.float32).numpy(), place.numpy(), found.object_id.numpy()


@pytest.mark.parametrize("u", [(0.0, 0.0), (1.0, 0.25), (0.5, 0.5)])
def test_a_place_is_as_far_from_the_point_as_it_is_in_the_pixel(u):
    point, place, _ = places(Scene(objects=(FLOOR, BALL.model_copy(update={"center": (9, 9, 9)})), camera=CAMERA), u, 1)
    np.testing.assert_allclose(place[:, 2], 0, atol=1e-5)
    eye = np.array(CAMERA.position)
    pixel = 2 * np.tan(np.radians(15)) / SIDE
    away, ray = np.linalg.norm(point - eye, axis=1), point - eye
    off = np.linalg.norm(np.cross(place - eye, ray / away[:, None]), axis=1)
    np.testing.assert_allclose(off, pixel * away * np.hypot(u[0] - 0.5, u[1] - 0.5), rtol=1e-3, atol=1e-5)


def test_places_behind_a_ball_and_on_it_are_the_points_themselves():
    scene = Scene(objects=(FLOOR, BALL), camera=CAMERA)
    point, place, of = places(scene, (0.9, 0.9), 1)
    assert np.array_equal(place[of == 1], point[of == 1])
    moved = (place != point).any(1)
    assert 0.5 * (of == 0).sum() < moved.sum() < (of == 0).sum()


def test_directions_from_a_place_lead_to_the_same_point_of_a_light():
    """By hand: from (0, 0, 0) straight up to a ball's (0, 0, 3); from (4, 0, 0) that is towards (−4, 0, 3)."""
    lamp = Sphere(center=(0, 0, 4), radius=1.0)
    batch = SceneBatch.of([Scene(objects=(FLOOR, lamp), camera=CAMERA)])
    table = points_of_fragments(batch, visible_fragments(batch, SIDE, SIDE, 32))[:1].clone()
    table[:, POINT : POINT + 3] = 0
    for light, expected in ((1, (-0.8, 0, 0.6)), (MISS, (0, 0, 1))):
        found = torch.empty(1, 3)
        inputs = [launchable(batch), as_points(table), wp.vec3(4.0, 0.0, 0.0), wp.vec3(0.0, 0.0, 1.0), int(light)]
        launch(find_directions, 1, inputs, [to_warp(found, wp.vec3)], batch.device)
        np.testing.assert_allclose(found[0], expected, atol=1e-6)
