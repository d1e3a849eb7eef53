"""Places of pixels, and where rays through them go, against their definition."""

import math

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.core.pixels import CORNERS, FINE_RAYS, Pictures, fine_offset, hits_object, place_of, point_of_pixel
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.scene import Camera, Scene, Sphere

WIDTH, HEIGHT, FIRST_ROW, ROWS = 7, 11, 3, 5
FIELDS = (40.0, 90.0)
"""Degrees, of the scenes' cameras."""


@wp.kernel
def places(
    scenes: Scenes,
    pictures: Pictures,
    index: wp.array[int],
    place: wp.array[wp.vec3i],
    point: wp.array[wp.vec2],
    hits: wp.array[int],
) -> None:
    i = wp.tid()
    at = place_of(pictures, index[i])
    place[i] = wp.vec3i(at.scene, at.row, at.column)
    point[i] = point_of_pixel(scenes, pictures, at, 0.25, 0.75)
    hits[i] = wp.where(hits_object(scenes, pictures, at.scene, at, wp.vec2(0.5, 0.5)), 1, 0)


@wp.kernel
def fine_offsets(k: wp.array[int], offset: wp.array[wp.vec2]) -> None:
    i = wp.tid()
    offset[i] = fine_offset(k[i])


def cameras() -> list[Camera]:
    return [Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=field) for field in FIELDS]


@pytest.mark.parametrize("device", DEVICES)
def test_pixels_of_a_band_are_counted_scene_by_scene_and_row_by_row(device):
    """Image plane: x to the right, y upwards, at distance 1; a ball of radius 1, 5 away, is a disc of 1 / √24."""
    scenes = [Scene(objects=(Sphere(center=(0, 0, 0), radius=1),), camera=camera) for camera in cameras()]
    pictures = Pictures()
    pictures.width, pictures.height, pictures.first_row, pictures.rows = WIDTH, HEIGHT, FIRST_ROW, ROWS
    index = np.arange(len(scenes) * ROWS * WIDTH, dtype=np.int32)
    place, point, hits = run(places, launchable(SceneBatch.of(scenes, device)), pictures, index, device=device)
    scene, row, column = np.indices((len(scenes), ROWS, WIDTH)).reshape(3, -1)
    np.testing.assert_array_equal(place, np.stack([scene, row + FIRST_ROW, column], 1))
    side = 2 * np.tan(np.radians(FIELDS) / 2)[scene] / HEIGHT
    upper_left = np.stack([column - WIDTH / 2, HEIGHT / 2 - (row + FIRST_ROW)], 1)
    np.testing.assert_allclose(point, (upper_left + np.array([0.25, -0.75])) * side[:, None], atol=1e-6)
    center = (upper_left + np.array([0.5, -0.5])) * side[:, None]
    np.testing.assert_array_equal(hits, np.hypot(*center.T) < 1 / math.sqrt(24))
    assert 0 < hits.sum() < len(hits)


@pytest.mark.parametrize("device", DEVICES)
def test_fine_rays_are_one_a_column_and_then_come_the_corners(device):
    (offset,) = run(fine_offsets, np.arange(FINE_RAYS + CORNERS, dtype=np.int32), device=device)
    np.testing.assert_allclose(offset[:FINE_RAYS, 0], (np.arange(FINE_RAYS) + 0.5) / FINE_RAYS, atol=1e-6)
    golden = (math.sqrt(5) - 1) / 2
    np.testing.assert_allclose(offset[:FINE_RAYS, 1], np.modf(0.5 + np.arange(FINE_RAYS) * golden)[0], atol=1e-4)
    assert offset[FINE_RAYS:].tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]
