"""Keys at corners and centres, and those of a shared pixel's lattice, of two discs in closed form."""

import math

import numpy as np
import pytest
import torch
from kernels import DEVICES

from luxel.core.intersect import MISS
from luxel.core.launch import launch
from luxel.core.pixel_samples import SHARED, sample_centers, sample_corners, sample_pixels
from luxel.core.pixels import Pictures
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import launchable
from luxel.core.shapes.shape import FACES
from luxel.scene import Camera, Material, Scene, Sphere

WIDTH, HEIGHT, FIRST_ROW, ROWS, RAYS = 23, 19, 2, 13, 31
NEAR, FAR = Sphere(center=(0, 0, 0), radius=1), Sphere(center=(0, 6, 0), radius=3)
CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=40)
RADII = (1 / math.sqrt(25 - 1), 3 / math.sqrt(121 - 9))
"""Of the balls' outlines on the image plane, at distance 1: r / √(d² − r²)."""


def pictures_of(rays: int) -> Pictures:
    pictures = Pictures()
    pictures.width, pictures.height, pictures.rays = WIDTH, HEIGHT, rays
    pictures.first_row, pictures.rows = FIRST_ROW, ROWS
    return pictures


def object_at(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """0, the near ball, 1, the far one, or MISS at places in pixels from the picture's upper left corner."""
    side = 2 * math.tan(math.radians(20)) / HEIGHT
    distance = np.hypot(x - WIDTH / 2, y - HEIGHT / 2) * side
    return np.where(distance < RADII[0], 0, np.where(distance < RADII[1], 1, int(MISS)))


def sampled(scene: Scene, device: str, is_thin: int = 0, lamps: int = 0) -> tuple[np.ndarray, ...]:
    """Keys of corners, of pixels and of the lattices' rays, and how many each pixel has."""
    scenes, pictures, torch_device = launchable(SceneBatch.of([scene], device)), pictures_of(RAYS), torch.device(device)
    corner = torch.empty((ROWS + 1) * (WIDTH + 1), dtype=torch.int32, device=device)
    pixel_key, lamp_rays, keys = torch.zeros(3, ROWS * WIDTH, dtype=torch.int32, device=device)
    ray_keys = torch.empty(ROWS * WIDTH, RAYS, dtype=torch.int32, device=device)
    launch(sample_corners, len(corner), [scenes, pictures], [corner], torch_device, sliced=True)
    marked = [scenes, pictures, torch.full_like(keys, is_thin), torch.full_like(keys, lamps), corner]
    launch(sample_centers, len(keys), marked, [pixel_key, lamp_rays], torch_device, sliced=True)
    shared = [scenes, pictures, pixel_key, lamp_rays]
    launch(sample_pixels, len(keys), shared, [ray_keys, keys], torch_device, sliced=True)
    shape = (ROWS, WIDTH)
    return (
        corner.reshape(ROWS + 1, WIDTH + 1).cpu().numpy(),
        pixel_key.reshape(shape).cpu().numpy(),
        ray_keys.reshape(*shape, RAYS).cpu().numpy(),
        keys.reshape(shape).cpu().numpy(),
    )


@pytest.mark.parametrize("device", DEVICES)
def test_corners_centres_and_lattices_see_what_shows_there(device):
    corner, pixel_key, ray_keys, keys = sampled(Scene(objects=(NEAR, FAR), camera=CAMERA), device)
    row, column = np.indices((ROWS + 1, WIDTH + 1))
    corners = object_at(column, row + FIRST_ROW)
    np.testing.assert_array_equal(corner, np.where(corners == MISS, int(MISS), corners * FACES))

    row, column = np.indices((ROWS, WIDTH))
    seen = [corners[:-1, :-1], corners[:-1, 1:], corners[1:, :-1], corners[1:, 1:]]
    center = object_at(column + 0.5, row + FIRST_ROW + 0.5)
    agree = np.all([one == center for one in seen], 0)
    key = np.where(center == MISS, int(MISS), center * FACES)
    np.testing.assert_array_equal(pixel_key, np.where(agree, key, int(SHARED)))

    k = np.arange(RAYS)
    across, down = (k + 0.5) / RAYS, np.modf(0.5 + k * (math.sqrt(5) - 1) / 2)[0]
    rays = object_at(column[..., None] + across, row[..., None] + FIRST_ROW + down)
    ray_key = np.where(rays == MISS, int(MISS), rays * FACES)
    np.testing.assert_array_equal(ray_keys[~agree], ray_key[~agree])
    different = (rays == 0).any(-1).astype(int) + (rays == 1).any(-1)
    np.testing.assert_array_equal(keys, np.where(agree, center != MISS, different))
    assert set(keys[~agree]) == {0, 1, 2}


def test_where_something_is_thin_all_rays_are_sent():
    _, pixel_key, ray_keys, keys = sampled(Scene(objects=(NEAR, FAR), camera=CAMERA), "cpu", is_thin=1)
    assert (pixel_key == SHARED).all()
    np.testing.assert_array_equal(keys > 0, (ray_keys != MISS).any(-1))


def test_a_speck_of_light_that_corners_and_centre_miss_is_found_where_it_is():
    """A tenth of a pixel wide; beside it all pixels show what is behind, although they are told to look for it."""
    row, column, side = 6, 9, 5 * 2 * math.tan(math.radians(20)) / HEIGHT
    center = ((column + 0.25 - WIDTH / 2) * side, 0, (HEIGHT / 2 - row - 0.7) * side)
    lamp = Sphere(center=center, radius=0.05 * side, material=Material(emission=(9.0, 9.0, 9.0)))
    wall = Sphere(center=(0, 1000, 0), radius=900)
    _, pixel_key, _, _ = sampled(Scene(objects=(wall, lamp), camera=CAMERA), "cpu", lamps=1)
    assert np.argwhere(pixel_key == SHARED).tolist() == [[row - FIRST_ROW, column]]
