"""Lamps behind rough glass: which they are, and where they seem to be."""

import numpy as np
import pytest
from tracer_scenes import CAMERA, LAMP, WHITE, ball, glass, metal, scene

from luxel.core.frosted_lamps import (
    BLUR,
    DISPLACEMENT,
    FAR,
    MIN_SHARE,
    distances_to_box,
    frosted_lamps,
    frosted_suns,
    shares_received,
)
from luxel.core.guide_targets import TARGETS, GuideTargets
from luxel.core.scene_batch import scene_arrays
from luxel.core.scene_tables import SIZE_FIELDS
from luxel.scene import Box, Cylinder, Object, Plane, Scene, Sun
from luxel.scene.camera import rotation_matrix

FROSTED = glass(0.4)
BULB = ball(0, 0, 0, 0.1, LAMP)
INTENSITY = np.mean(LAMP.emission) * np.pi * 0.1**2
"""Of the bulb."""


def arrays_and_sizes(*scenes: Scene) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Of scenes of spheres, boxes and cylinders, whose sizes are by hand, areas as of spheres."""
    of = scene_arrays(list(scenes))
    scale = of["scale"]
    sizes = np.zeros(len(scale), SIZE_FIELDS)
    is_ball = (scale == scale[:, :1]).all(1)
    sizes["radius"] = np.where(is_ball, scale[:, 0], np.linalg.norm(scale, axis=1))
    sizes["area"] = 4 * np.pi * scale[:, 0] ** 2
    return of, sizes


def found(*scenes: Scene) -> GuideTargets:
    of, sizes = arrays_and_sizes(*scenes)
    lamps = np.flatnonzero((of["emission"] > 0).any(1)).astype(np.int32)
    return frosted_lamps(of, lamps, sizes, rotation_matrix(of["rotation"]))


def semi_axes(targets: GuideTargets) -> np.ndarray:
    return np.linalg.norm(targets.axes, axis=1)


def test_a_bulb_in_a_frosted_globe():
    """All its light goes through the globe, and it seems to fill a ball that grows with the way to the glass."""
    targets = found(scene(BULB, ball(0, 0, 0, 0.5, FROSTED)))
    assert targets.scene.tolist() == [0]
    np.testing.assert_allclose(targets.intensity, [INTENSITY], rtol=1e-6)
    np.testing.assert_allclose(semi_axes(targets), [(0.1 + BLUR * 0.4**2 * 0.5,) * 3], rtol=1e-6)


@pytest.mark.parametrize(
    "other", [glass(0.0), metal(0.4), WHITE, LAMP, glass(0.4, transmission=MIN_SHARE / 2)], ids=str
)
def test_other_globes_frost_no_bulb(other):
    assert not len(found(scene(BULB, ball(0, 0, 0, 0.5, other))).scene)


def test_a_pane_beside_a_bulb_counts_by_its_solid_angle():
    """As its bounding sphere, of which the bulb sees (1 − cos 30°) / 2; and not from farther away."""
    half = np.array((0.1, 0.1, 0.7))
    distance = 2 * np.linalg.norm(half)
    pane = Box(center=(distance, 0, 0), half_extents=tuple(half), material=FROSTED)
    targets = found(scene(BULB, pane, pane.model_copy(update={"center": (0, distance, 0)})))
    np.testing.assert_allclose(targets.intensity, [2 * (1 - np.cos(np.radians(30))) / 2 * INTENSITY], rtol=1e-5)
    np.testing.assert_allclose(semi_axes(targets), [(0.1 + BLUR * 0.4**2 * (distance - 0.1),) * 3], rtol=1e-5)
    assert not len(found(scene(BULB, pane.model_copy(update={"center": (5 * distance, 0, 0)}))).scene)


def test_those_of_most_light_in_each_scene():
    many = [
        item
        for number in range(TARGETS + 2)
        for item in (ball(3.0 * number, 0, 0, 0.1 + 0.01 * number, LAMP), ball(3.0 * number, 0, 0, 0.5, FROSTED))
    ]
    other = ball(9, 9, 9, 1)
    targets = found(scene(other), scene(*many), scene(other, *many[:2]))
    assert targets.scene.tolist() == [1] * TARGETS + [2]
    brightest_first = [3.0 * number for number in range(TARGETS + 1, 1, -1)]
    assert targets.center[:, 0].tolist() == [*brightest_first, 0.0]


def test_of_many_lamps_those_are_looked_at_that_may_be_targets(monkeypatch):
    """A scene of thousands of lamps and of panes would take gigabytes."""
    lamps = [ball(3.0 * k, 0, 0, 0.1, LAMP) for k in range(200)]
    bright = LAMP.model_copy(update={"emission": tuple(100 * x for x in LAMP.emission)})
    asked = []

    def shares(vector, radius, is_within):
        asked.append(vector.shape)
        return shares_received(vector, radius, is_within)

    monkeypatch.setattr("luxel.core.frosted_lamps.shares_received", shares)
    targets = found(scene(*lamps, ball(0, 9, 0, 0.1, bright), ball(0, 9, 0, 0.5, FROSTED), ball(3, 0, 0, 0.5, FROSTED)))
    assert asked == [(1, 2, 3)]
    assert targets.center.tolist() == [[0, 9, 0]]


def test_a_lamp_that_is_long_seems_to_fill_what_is_long():
    """Turned, in a turned shade that is as long: the glass is where it is near, not as far as the shade is long."""
    turn = (0.6, 0.3, -0.5, 0.4)
    tube = Cylinder(center=(1, 2, 3), radius=0.1, half_height=1, rotation=turn, material=LAMP)
    shade = Cylinder(center=(1, 2, 3), radius=0.3, half_height=1.2, rotation=turn, material=FROSTED)
    targets = found(scene(tube, shade))
    blur = (BLUR * 0.4**2 + DISPLACEMENT) * 0.3
    np.testing.assert_allclose(semi_axes(targets), [(0.1 + blur, 0.1 + blur, 1 + blur)], rtol=1e-5)
    expected = rotation_matrix(np.array([turn]))[0] * (0.1 + blur, 0.1 + blur, 1 + blur)
    np.testing.assert_allclose(targets.axes[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "objects",
    [[ball(0, 0, 0, 1)], [BULB], [ball(0, 0, 0, 1, FROSTED)], [BULB, Plane(center=(0, 0, -0.5), material=FROSTED)]],
    ids=["matte", "a bare bulb", "a globe", "a bulb above frosted ground"],
)
def test_nothing_shines_or_nothing_is_before_it(objects):
    assert not len(found(scene(*objects)).scene)


def test_distances_to_a_box():
    """Beyond a corner, an edge and a face, and within."""
    beyond = np.array([(3, 4, 12), (3, 4, -1), (2, -1, -1), (-1, -3, -0.5)], float)
    np.testing.assert_allclose(distances_to_box(beyond), [13, 5, 2, 0.5])


SUN = Sun(direction=(0, 3, 4), radiance=(3000, 2000, 1000), angular_radius_degrees=2)
PANE = Box(center=(1, 2, 3), half_extents=(2, 0.05, 1), material=FROSTED)


def suns_found(*objects: Object, sun: Sun = SUN) -> GuideTargets:
    """Of a scene under nothing but a sun."""
    of, sizes = arrays_and_sizes(Scene(objects=objects, camera=CAMERA, sun=sun))
    return frosted_suns(of, sizes, rotation_matrix(of["rotation"]))


def test_the_sun_behind_a_frosted_pane():
    """So far away that it is in one direction from all over the pane, and twice the glass's α wider than it is."""
    targets = suns_found(PANE)
    radius, angle = np.linalg.norm(PANE.half_extents), np.radians(2)
    np.testing.assert_allclose(targets.center - PANE.center, [FAR * radius * np.array([0, 0.6, 0.8])], rtol=1e-4)
    np.testing.assert_allclose(semi_axes(targets), [(FAR * radius * (BLUR * 0.4**2 + angle),) * 3], rtol=1e-5)
    irradiance = 2000 * np.pi * np.sin(angle) ** 2
    np.testing.assert_allclose(targets.intensity / (FAR * radius) ** 2, [irradiance], rtol=1e-5)
    np.testing.assert_allclose(targets.pane_center, [PANE.center])
    np.testing.assert_allclose(targets.pane_radius, [radius], rtol=1e-6)


@pytest.mark.parametrize(
    "other",
    [
        {"material": glass(0.0)},
        {"material": WHITE},
        {"half_extents": (2, 0.9, 1)},
        {"rotation": (3, -1, 0, 0)},
        {"material": LAMP},
    ],
    ids=["clear", "matte", "a block", "edge-on", "a lamp"],
)
def test_what_is_no_frosted_pane_before_the_sun(other):
    assert not len(suns_found(PANE.model_copy(update=other)).scene)


def test_no_pane_without_a_sun():
    assert not len(suns_found(PANE, sun=Sun(direction=(0, 3, 4), radiance=(0, 0, 0))).scene)


def test_the_largest_panes_leave_room_for_other_targets():
    panes = [PANE.model_copy(update={"half_extents": (2 + k, 0.05, 1), "center": (k, 0, 0)}) for k in range(TARGETS)]
    targets = suns_found(*panes)
    assert targets.pane_center[:, 0].tolist() == list(range(TARGETS - 1, TARGETS // 2 - 1, -1))
