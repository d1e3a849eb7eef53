"""Lamps behind rough glass: which they are, and where they seem to be."""

import numpy as np
import pytest
from tracer_scenes import LAMP, WHITE, ball, box, glass, metal, scene

from luxel.core.frosted_lamps import BLUR, MAX_FROSTED, MIN_SHARE, FrostedLamps, distances_to_box, frosted_lamps
from luxel.core.scene_batch import scene_arrays
from luxel.core.scene_tables import SIZE_FIELDS
from luxel.scene import Box, Cylinder, Scene
from luxel.scene.camera import rotation_matrix

FROSTED = glass(0.4)
BULB = ball(0, 0, 0, 0.1, LAMP)


def found(*scenes: Scene) -> FrostedLamps:
    """Of scenes of spheres and unturned boxes, whose sizes are by hand."""
    of = scene_arrays(list(scenes))
    scale = of["scale"]
    sizes = np.zeros(len(scale), SIZE_FIELDS)
    is_ball = (scale == scale[:, :1]).all(1)
    sizes["radius"] = np.where(is_ball, scale[:, 0], np.linalg.norm(scale, axis=1))
    sizes["area"] = 4 * np.pi * scale[:, 0] ** 2
    lamps = np.flatnonzero((of["emission"] > 0).any(1)).astype(np.int32)
    unit_from_world = (rotation_matrix(of["rotation"]).swapaxes(1, 2) / scale[:, :, None]).astype(np.float32)
    return frosted_lamps(of, lamps, sizes, unit_from_world)


def test_a_bulb_in_a_frosted_globe():
    """All its light goes through the globe, and it seems to fill a ball that grows with the way to the glass."""
    lamps = found(scene(BULB, ball(0, 0, 0, 0.5, FROSTED)))
    assert lamps.rows.tolist() == [[0] + [-1] * (MAX_FROSTED - 1)]
    mean_emission = np.mean(LAMP.emission)
    np.testing.assert_allclose(lamps.intensity, [mean_emission * np.pi * 0.1**2, 0], rtol=1e-6)
    seeming = 0.1 + BLUR * 0.4**2 * 0.5
    np.testing.assert_allclose(lamps.narrowing, [(0.1 / seeming,) * 3, (1, 1, 1)], rtol=1e-6)


@pytest.mark.parametrize(
    "other", [glass(0.0), metal(0.4), WHITE, LAMP, glass(0.4, transmission=MIN_SHARE / 2)], ids=str
)
def test_other_globes_frost_no_bulb(other):
    lamps = found(scene(BULB, ball(0, 0, 0, 0.5, other)))
    assert (lamps.rows == -1).all()
    assert not lamps.intensity.any()


def test_a_pane_beside_a_bulb_counts_by_its_solid_angle():
    """As its bounding sphere, of which the bulb sees 1 − cos 30° over 2; and not from farther away."""
    half = np.array((0.1, 0.1, 0.7))
    distance = 2 * np.linalg.norm(half)
    pane = Box(center=(distance, 0, 0), half_extents=tuple(half), material=FROSTED)
    share = (1 - np.cos(np.radians(30))) / 2
    lamps = found(scene(BULB, pane, pane.model_copy(update={"center": (0, distance, 0)})))
    assert lamps.rows[0, 0] == 0
    np.testing.assert_allclose(lamps.intensity[0], 2 * share * np.mean(LAMP.emission) * np.pi * 0.1**2, rtol=1e-5)
    to_face = distance - 0.1
    np.testing.assert_allclose(0.1 / lamps.narrowing[0], 0.1 + BLUR * 0.4**2 * to_face, rtol=1e-5)
    assert (found(scene(BULB, pane.model_copy(update={"center": (5 * distance, 0, 0)}))).rows == -1).all()


def test_those_of_most_light_in_each_scene_by_its_own_rows():
    many = [
        item
        for number in range(MAX_FROSTED + 2)
        for item in (ball(3.0 * number, 0, 0, 0.1 + 0.01 * number, LAMP), ball(3.0 * number, 0, 0, 0.5, FROSTED))
    ]
    lamps = found(scene(WHITE_BALL := ball(9, 9, 9, 1)), scene(*many), scene(WHITE_BALL, *many[:2]))
    assert (lamps.rows[0] == -1).all()
    brightest_first = range(2 * (MAX_FROSTED + 1), 2, -2)
    assert lamps.rows[1].tolist() == [1 + number for number in brightest_first]
    assert lamps.rows[2].tolist() == [2 + len(many), *[-1] * (MAX_FROSTED - 1)]


def test_a_lamp_that_is_long_seems_to_fill_what_is_long():
    """Turned, in a turned shade that is as long: the glass is where it is near, not as far as the shade is long."""
    turn = (0.6, 0.3, -0.5, 0.4)
    tube = Cylinder(center=(1, 2, 3), radius=0.1, half_height=1, rotation=turn, material=LAMP)
    shade = Cylinder(center=(1, 2, 3), radius=0.3, half_height=1.2, rotation=turn, material=FROSTED)
    seeming = np.array([0.1, 0.1, 1]) / found(scene(tube, shade)).narrowing[0]
    np.testing.assert_allclose(seeming, np.array([0.1, 0.1, 1]) + BLUR * 0.4**2 * 0.2 + BLUR * 0.4**2 * 0.1, rtol=1e-5)


def test_nothing_shines_and_nothing_is_glass():
    for objects in ([ball(0, 0, 0, 1)], [BULB], [ball(0, 0, 0, 1, FROSTED)], [box(0, 0, 0, (1, 1, 1), LAMP)]):
        assert (found(scene(*objects)).rows == -1).all()


def test_distances_to_a_box():
    """Beyond a corner, an edge and a face, and within."""
    beyond = np.array([(3, 4, 12), (3, 4, -1), (2, -1, -1), (-1, -3, -0.5)], np.float32)
    np.testing.assert_allclose(distances_to_box(beyond), [13, 5, 2, 0.5])
