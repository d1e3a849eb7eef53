"""Specks of light in a pixel: which of its rays find them, of specks that just one ray can hit."""

import math

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.core.intersect import MISS
from luxel.core.lamp_search import (
    CROWDED,
    MAX_MISSED_LAMPS,
    box_reaches,
    lamp_bit,
    lamp_bit_of_key,
    lamp_ray,
    look_for_lamps,
    missed_lamp_ray,
    shared_offset,
)
from luxel.core.pixels import FINE_RAYS, Pictures, PixelPlace
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.core.shapes.shape import FACES
from luxel.scene import Camera, Material, Scene, Sphere

WIDTH, HEIGHT, RAYS = 7, 5, 31
COLUMN, ROW = 4, 1
CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=40)
SIDE = 5 * 2 * math.tan(math.radians(20)) / HEIGHT
"""Of a pixel, where the camera looks at."""
RADIUS = 0.003 * SIDE
"""Columns of the lattice's rays are 0.0039 pixels and more from those of the fine rays."""


def lattice(k: int, rays: int) -> tuple[float, float]:
    return (k + 0.5) / rays, math.modf(0.5 + k * (math.sqrt(5) - 1) / 2)[0]


def speck(offset: tuple[float, float], emission: float = 100.0) -> Sphere:
    """At a place of the pixel, in pixels from its upper left corner, on the plane of what the camera looks at."""
    x, z = (COLUMN + offset[0] - WIDTH / 2) * SIDE, (HEIGHT / 2 - ROW - offset[1]) * SIDE
    return Sphere(center=(x, 0, z), radius=RADIUS, material=Material(emission=(emission, emission, emission)))


@wp.kernel
def search(
    scenes: Scenes,
    pictures: Pictures,
    object_id: wp.array[int],
    column: int,
    row: int,
    other_lamps: int,
    missed: wp.array[int],
    reaches: wp.array[int],
    bits: wp.array[wp.vec2i],
    found: wp.array[wp.vec2i],
    covered: wp.array[wp.vec2i],
) -> None:
    i = wp.tid()
    at = PixelPlace(0, column, row)
    missed[i] = missed_lamp_ray(scenes, pictures, object_id[i], at)
    reaches[i] = wp.where(box_reaches(scenes, pictures, object_id[i], at), 1, 0)
    bits[i] = wp.vec2i(lamp_bit(scenes, object_id[i]), lamp_bit_of_key(scenes, object_id[i] * FACES))
    one = look_for_lamps(scenes, pictures, at, lamp_bit(scenes, object_id[i]) | other_lamps, MISS)
    found[i] = wp.vec2i(wp.where(one.may_show, 1, 0), one.rays)
    hidden = look_for_lamps(scenes, pictures, at, lamp_bit(scenes, object_id[i]), object_id[i])
    covered[i] = wp.vec2i(wp.where(hidden.may_show, 1, 0), hidden.rays)


@wp.kernel
def unpacked(count: int, rays: wp.array[int], numbers: wp.array[wp.vec4i], last_two: wp.array[wp.vec4]) -> None:
    i = wp.tid()
    numbers[i] = wp.vec4i(lamp_ray(rays[i], 0), lamp_ray(rays[i], 1), lamp_ray(rays[i], 2), lamp_ray(rays[i], 3))
    last, before = shared_offset(count - 1, count, rays[i]), shared_offset(count - 2, count, rays[i])
    last_two[i] = wp.vec4(last[0], last[1], before[0], before[1])


def searched(scene: Scene, device: str = "cpu", other_lamps: int = 0) -> list[np.ndarray]:
    pictures = Pictures()
    pictures.width, pictures.height, pictures.rows, pictures.rays = WIDTH, HEIGHT, HEIGHT, RAYS
    object_id = np.arange(len(scene.objects), dtype=np.int32)
    batch = SceneBatch.of([scene], device)
    return run(search, launchable(batch), pictures, object_id, COLUMN, ROW, other_lamps, device=device)


@pytest.mark.parametrize("device", DEVICES)
def test_a_speck_is_found_by_the_ray_that_hits_it(device):
    specks = [speck(lattice(11, RAYS)), speck(lattice(53, FINE_RAYS)), speck((1.0, 0.0)), speck((2.5, 0.5))]
    missed, reaches, bits, found, covered = searched(Scene(objects=tuple(specks), camera=CAMERA), device)
    corner = FINE_RAYS + 1
    assert missed.tolist() == [-1, 1 + 53, 1 + corner, 0]
    assert reaches.tolist() == [1, 1, 1, 0]
    assert found.tolist() == [[1, 0], [1, 1 + 53], [1, 1 + corner], [0, 0]]
    assert sorted(bits[:, 0].tolist()) == [1, 2, 4, 8]
    np.testing.assert_array_equal(bits[:, 0], bits[:, 1])
    assert (covered == 0).all()


def test_what_gives_no_light_is_not_looked_for():
    *_, bits, found, _ = searched(Scene(objects=(speck((0.5, 0.5), emission=0.0),), camera=CAMERA))
    assert bits.tolist() == found.tolist() == [[0, 0]]


@pytest.mark.parametrize("device", DEVICES)
def test_there_are_rays_for_four_specks_and_of_more_the_lattice_measures_all(device):
    specks = tuple(speck(lattice(k, FINE_RAYS)) for k in (17, 40, 63, 90, 110))
    four = Scene(objects=specks[:MAX_MISSED_LAMPS], camera=CAMERA)
    may_show, rays = searched(four, device, other_lamps=-1)[3][0]
    (numbers, _) = run(unpacked, RAYS, np.array([rays], np.int32), device=device)
    assert (may_show, sorted(numbers[0].tolist())) == (1, [18, 41, 64, 91])
    five = Scene(objects=specks, camera=CAMERA)
    assert searched(five, device, other_lamps=-1)[3].tolist() == [[1, int(CROWDED)]] * 5


@pytest.mark.parametrize("device", DEVICES)
def test_the_last_rays_of_a_shared_pixel_go_to_what_the_lattice_misses(device):
    rays = np.array([0, 54 | 130 << 8, int(CROWDED)], np.int32)
    numbers, last_two = run(unpacked, RAYS, rays, device=device)
    assert numbers.tolist() == [[0, 0, 0, 0], [54, 130, 0, 0], [0, 0, 0, 0]]
    unchanged = [*lattice(RAYS - 1, RAYS), *lattice(RAYS - 2, RAYS)]
    np.testing.assert_allclose(last_two, [unchanged, [*lattice(53, FINE_RAYS), 1, 0], unchanged], atol=1e-5)
