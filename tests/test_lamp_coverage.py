"""What a small ball of light covers of a pixel, against its disc's area."""

import math

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run

from luxel.core.lamp_coverage import lamp_coverage, smooth_lamps
from luxel.core.pixels import FINE_RAYS, Pictures, PixelPlace
from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.core.shapes.shape import FACES
from luxel.scene import Camera, Material, Scene, Sphere

WIDTH, HEIGHT, COLUMN, ROW = 101, 103, 60, 40
CAMERA = Camera(position=(0, -50, 0), look_at=(0, 0, 0), vertical_fov_degrees=10)
SIDE = 50 * 2 * math.tan(math.radians(5)) / HEIGHT
"""Of a pixel, where the camera looks at."""
RADII = (0.15, 0.3, 0.45)
"""In pixels."""


@wp.kernel
def coverages(
    scenes: Scenes, pictures: Pictures, object_id: wp.array[int], column: int, row: int, covered: wp.array[wp.vec2]
) -> None:
    i = wp.tid()
    coverage = lamp_coverage(scenes, pictures, object_id[i], PixelPlace(0, column, row))
    covered[i] = wp.vec2(coverage.squares, coverage.hits)


@wp.kernel
def smoothed(
    scenes: Scenes,
    pictures: Pictures,
    column: int,
    row: int,
    key: wp.array[int],
    hits: wp.array[float],
    left: wp.array[float],
    result: wp.array[float],
) -> None:
    i = wp.tid()
    if i == 0:
        left[0] = smooth_lamps(scenes, pictures, PixelPlace(0, column, row), key, 0, key.shape[0], hits)
        for k in range(key.shape[0]):
            result[k] = hits[k]


def scene_of(balls: list[tuple[float, float, float]], emission: float = 100.0) -> Scene:
    """Balls of light by their centres in the pixel, from its upper left corner, and radii, all in pixels."""
    light = Material(emission=(emission, emission, emission))
    return Scene(
        objects=tuple(
            Sphere(
                center=((COLUMN + x - WIDTH / 2) * SIDE, 0, (HEIGHT / 2 - ROW - y) * SIDE),
                radius=radius * SIDE,
                material=light,
            )
            for x, y, radius in balls
        ),
        camera=CAMERA,
    )


def pictures() -> Pictures:
    size = Pictures()
    size.width, size.height, size.rows, size.rays = WIDTH, HEIGHT, HEIGHT, 31
    return size


def covered(balls: list[tuple[float, float, float]], column: int = COLUMN, device: str = "cpu") -> np.ndarray:
    """Shares of the pixel by squares and by hits of the fine rays, [balls, 2]."""
    object_id = np.arange(len(balls), dtype=np.int32)
    batch = SceneBatch.of([scene_of(balls)], device)
    (found,) = run(coverages, launchable(batch), pictures(), object_id, column, ROW, device=device)
    return found / float(FINE_RAYS)


@pytest.mark.parametrize("device", DEVICES)
def test_squares_cover_a_discs_area(device):
    found = covered([(0.5, 0.5, radius) for radius in RADII], device=device)
    areas = math.pi * np.array(RADII) ** 2
    np.testing.assert_allclose(found[:, 0], areas, rtol=0.03)
    np.testing.assert_allclose(found[:, 1], areas, atol=1.5 / float(FINE_RAYS))


def test_a_disc_on_a_border_is_halved_between_two_pixels():
    balls = [(1.0, 0.5, radius) for radius in RADII]
    halves = np.pi * np.array(RADII) ** 2 / 2
    np.testing.assert_allclose(covered(balls)[:, 0], halves, rtol=0.1)
    np.testing.assert_allclose(covered(balls, COLUMN + 1)[:, 0], halves, rtol=0.1)


def test_squares_change_steadily_where_hits_jump():
    """A ball that moves by a thousandth of a pixel at a time, over 40 of them."""
    places = [(0.4 + 0.001 * step, 0.52, 0.13) for step in range(40)]
    squares, hits = np.abs(np.diff(covered(places), axis=0)).max(0)
    assert hits >= 1 / float(FINE_RAYS)
    assert squares < 0.2 * hits


@pytest.mark.parametrize("device", DEVICES)
def test_what_lamps_leave_is_for_all_others(device):
    """A lamp beside a ball without light: the fine rays said 40 and 80, and 8 saw the sky."""
    lamp, dark = scene_of([(0.5, 0.5, 0.3)]).objects[0], scene_of([(0.5, 0.5, 0.9)], emission=0.0).objects[0]
    scene = Scene(objects=(lamp, dark), camera=CAMERA)
    batch = SceneBatch.of([scene], device)
    keys, hits = np.array([0, FACES], np.int32), np.array([40, 80], np.float32)
    arguments = [launchable(batch), pictures(), COLUMN, ROW, keys, hits]
    left, result = run(smoothed, *arguments, device=device)
    area = math.pi * 0.3**2 * float(FINE_RAYS)
    seen = covered([(0.5, 0.5, 0.3)])[0, 1] * float(FINE_RAYS)
    assert result[0] == pytest.approx(40 * area / seen, rel=0.01)
    assert left[0] == pytest.approx(float(FINE_RAYS) - result[0], rel=1e-5)
    assert result[1] == pytest.approx(80 * left[0] / 88, rel=1e-5)
