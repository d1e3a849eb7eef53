"""Openings of rooms are found where they are, as large as they are; and none where there are none."""

import numpy as np
import pytest
from tracer_scenes import glass

from luxel.core.openings import (
    COVERED_AXES,
    THICKNESS,
    ParallelPlanes,
    Rays,
    Walls,
    crossing_of_most,
    first_hits,
    hemisphere_rays,
    opening_in_wall,
    planes_of,
    rooms,
    sphere_directions,
)
from luxel.core.scene_batch import scene_arrays
from luxel.core.shapes.kinds import BOX, DISC, PLANE, RECTANGLE
from luxel.scene import Box, Camera, Plane, Scene, Sphere
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Object

SKY = (2.0, 3.0, 4.0)
SIDE, THICK = 3.0, 0.1
"""Of the room, from its middle to a wall, and half of the wall's own thickness, scene units."""


def wall(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> Box:
    """A box between these coordinates."""
    center, half = zip(*(((a + b) / 2, (b - a) / 2) for a, b in (x, y, z)), strict=True)
    return Box(center=center, half_extents=half)


def closed(*sides: str) -> list[Object]:
    """A room's walls, ceiling and floor, but for these sides ("+x" and so on)."""
    far, near, reach = SIDE + 2 * THICK, SIDE, (-SIDE - 2 * THICK, SIDE + 2 * THICK)
    every = {
        f"{sign}{'xyz'[axis]}": wall(*((lower, upper) if at == axis else reach for at in range(3)))
        for axis in range(3)
        for sign, lower, upper in (("+", near, far), ("-", -far, -near))
    }
    return [item for name, item in every.items() if name not in sides]


def holed(y: tuple[float, float], z: tuple[float, float], x: float = SIDE) -> list[Object]:
    """The wall at +x, or at −x, with a window between these coordinates."""
    across = (x, x + 2 * THICK) if x > 0 else (x - 2 * THICK, x)
    return [
        wall(across, (-SIDE, y[0]), (-SIDE, SIDE)),
        wall(across, (y[1], SIDE), (-SIDE, SIDE)),
        wall(across, y, (-SIDE, z[0])),
        wall(across, y, (z[1], SIDE)),
    ]


CAMERA = Camera(position=(-1.5, -1, 0.3), look_at=(0, 0, 0))


def found(objects: list[Object], camera: Camera = CAMERA, sky: tuple[float, float, float] = SKY):
    of = scene_arrays([Scene(objects=objects, camera=camera, background=sky)])
    unit_from_world = rotation_matrix(of["rotation"]).swapaxes(1, 2) / of["scale"][:, :, None]
    return rooms(of, unit_from_world.astype(np.float32))


def test_a_window_is_found():
    """Its centre to a tenth of its size, its axes along its sides; the share of the sky in view is about right."""
    targets, seen = found(closed("+x") + holed((-0.5, 1.5), (-0.2, 0.8)) + [Sphere(center=(1, 0, -2), radius=1)])
    assert len(targets.scene) == 1
    assert 0.005 < seen[0] < 0.03
    np.testing.assert_allclose(targets.center[0], (SIDE + THICK, 0.5, 0.3), atol=0.2)
    lengths = np.linalg.norm(targets.axes[0], axis=0)
    thick, short, long = np.argsort(lengths)
    np.testing.assert_allclose(lengths[[short, long]], COVERED_AXES / 3**0.5 * np.array([0.5, 1]), rtol=0.25)
    assert abs(targets.axes[0][0, thick]) / lengths[thick] > 0.99
    assert abs(targets.axes[0][1, long]) / lengths[long] > 0.95
    np.testing.assert_allclose(targets.intensity, np.mean(SKY) * np.pi * lengths[short] * lengths[long], rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_a_window_is_found_whatever_the_unit(scale):
    walls = closed("+x") + holed((-0.5, 1.5), (-0.2, 0.8))
    scaled = [
        Box(center=tuple(scale * x for x in one.center), half_extents=tuple(scale * x for x in one.half_extents))
        for one in walls
        if isinstance(one, Box)
    ]
    (at_one, _), camera = found(walls), Camera(position=tuple(scale * x for x in CAMERA.position), look_at=(0, 0, 0))
    targets, _ = found(scaled, camera)
    np.testing.assert_allclose(targets.center / scale, at_one.center, atol=0.05)
    np.testing.assert_allclose(np.abs(targets.axes) / scale, np.abs(at_one.axes), atol=0.05)


@pytest.mark.parametrize(
    "ground",
    [
        Plane(center=(0, 0, -SIDE - 2 * THICK)),
        Plane(center=(0, 0, -1)),
        Box(center=(0, 0, -1e5 - 3.2), half_extents=(1e5, 1e5, 1e5)),
    ],
    ids=["a plane below", "a plane as floor", "a wide box"],
)
@pytest.mark.parametrize("position", [CAMERA.position, (-2.5, 0.5, 0.3)], ids=["beside", "before the window"])
def test_a_window_above_a_ground_is_found(ground, position):
    """Rays that go through it meet the ground, and what the camera sees of that is outside."""
    walls = closed("+x") + holed((-0.5, 1.5), (-0.2, 0.8))
    targets, _ = found([*walls, ground], Camera(position=position, look_at=(3, 0.5, 0.3)))
    assert len(targets.scene) == 1
    np.testing.assert_allclose(targets.center[0], (SIDE + THICK, 0.5, 0.3), atol=0.25)


def test_two_windows_and_a_pane_in_one_of_them():
    pane = Box(center=(SIDE + THICK, 0.5, 0.3), half_extents=(0.02, 1, 0.5), material=glass(0.0))
    sides = holed((-0.5, 1.5), (-0.2, 0.8)) + holed((-2, -1), (0, 1), -SIDE)
    targets, _ = found([*closed("+x", "-x"), *sides, pane])
    assert sorted(np.sign(targets.center[:, 0])) == [-1, 1]
    np.testing.assert_allclose(targets.center[targets.center[:, 0] > 0][0, 1:], (0.5, 0.3), atol=0.25)
    np.testing.assert_allclose(targets.center[targets.center[:, 0] < 0][0, 1:], (-1.5, 0.5), atol=0.25)


@pytest.mark.parametrize(
    "objects",
    {
        "a ball": [Sphere(center=(0, 0, 0), radius=1)],
        "closed": closed(),
        "a side is open": closed("+x"),
        "a ground and three blocks": [Plane(center=(0, 0, -1)), *closed("+x", "-x", "+y", "-y")],
        "walls of glass": [item.model_copy(update={"material": glass(0.1)}) for item in closed()],
    }.items(),
    ids=lambda item: item[0],
)
def test_none_where_there_are_none(objects):
    targets, seen = found(objects[1])
    assert not len(targets.scene)
    assert seen.tolist() == [1]


def test_none_under_a_black_sky_or_seen_from_outside():
    windowed = closed("+x") + holed((-0.5, 1.5), (-0.2, 0.8))
    assert not len(found(windowed, sky=(0, 0, 0))[0].scene)
    assert not len(found(windowed, Camera(position=(0, -20, 3), look_at=(0, 0, 0)))[0].scene)


def test_slots_everywhere_are_no_openings():
    """Twenty-four around: no few points that rays go through."""
    slots = [wall((SIDE, SIDE + 0.2), (-SIDE, SIDE), (z, z + 0.4)) for z in np.arange(-SIDE, SIDE, 0.5)]
    slots += [wall((-SIDE - 0.2, -SIDE), (-SIDE, SIDE), (z, z + 0.4)) for z in np.arange(-SIDE, SIDE, 0.5)]
    assert not len(found(closed("+x", "-x") + slots)[0].scene)


def test_first_hits_by_hand():
    """A box from outside and from within, both panels inside and beside their outline, a plane from above and below."""
    for kind, origin, expected in [
        (BOX, (0, 0, 5), ((0, 0, 1), (0, 0, 1))),
        (BOX, (0, 0, 0.5), ((0, 0, -1), (0, 0, 1))),
        (RECTANGLE, (0.9, 0.9, 5), ((0.9, 0.9, 0), (0, 0, 1))),
        (RECTANGLE, (1.1, 0, 5), None),
        (DISC, (0.9, 0.9, 5), None),
        (DISC, (0.5, 0.5, 5), ((0.5, 0.5, 0), (0, 0, 1))),
        (PLANE, (70, 0, 5), ((70, 0, 0), (0, 0, 1))),
        (PLANE, (0, 0, -5), None),
    ]:
        walls = Walls(np.array([kind], np.int32), np.zeros((1, 3), np.float32), np.eye(3, dtype=np.float32)[None])
        rays = Rays(np.array([origin], np.float32), np.array([(0, 0, -1)], np.float32))
        points, normals, escapes = first_hits(walls, rays)
        assert escapes.tolist() == [expected is None]
        if expected is not None:
            np.testing.assert_allclose((points[0], normals[0]), expected, atol=1e-6)


def test_planes_are_those_of_faces_and_midway():
    """Of two parallel boxes together; a panel and a plane have one each."""
    turned = rotation_matrix(np.array([(0.9, 0.1, 0.2, 0.3)]))[0].T
    walls = Walls(
        np.array([BOX, BOX, BOX, PLANE], np.int32),
        np.array([(0, 0, 0), (5, 0, 0), (1, 2, 3), (0, 0, -7)], np.float32),
        np.stack([np.diag((1, 2, 4)), np.eye(3), turned, -np.eye(3)]).astype(np.float32),
    )
    planes = planes_of(walls)
    found = {tuple(plane.normal.round(2).tolist()): plane.offsets.tolist() for plane in planes}
    assert len(found) == 6
    assert found[(1, 0, 0)] == pytest.approx([-1, 0, 1, 4, 5, 6], abs=1e-4)
    assert found[(0, 1, 0)] == pytest.approx([-1, -0.5, 0, 0.5, 1], abs=1e-4)
    assert found[(0, 0, 1)] == pytest.approx([-7, -1, -0.25, 0, 0.25, 1], abs=1e-4)
    middle = turned[0] * np.sign(turned[0][np.abs(turned[0]).argmax()])
    (offsets,) = [plane.offsets for plane in planes if np.abs(plane.normal - middle).max() < 1e-5]
    np.testing.assert_allclose(offsets, middle @ (1, 2, 3) + [-1, 0, 1], atol=1e-3)


def test_rays_of_a_hemisphere_are_of_the_cosine():
    normals = sphere_directions(16)
    rays = hemisphere_rays(np.zeros((16, 3), np.float32), normals)
    cosines = (rays.direction.reshape(16, -1, 3) * normals[:, None]).sum(2)
    assert cosines.min() > 0
    np.testing.assert_allclose(np.linalg.norm(rays.direction, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(cosines.mean(1), 2 / 3, atol=0.01)


def test_where_rays_cross():
    """A point that they all go through; and a slot in a plane that they go through anywhere."""
    random = np.random.default_rng(0)
    origin = 4 * random.normal(size=(400, 3)) - (20, 0, 0)
    at = np.array((2.0, 0.3, -0.4))
    through = np.stack([np.full(400, 2.0), *(random.uniform(-1, 1, (2, 400)) * [[0.8], [0.2]])], 1)
    for goals in (np.broadcast_to(at, (400, 3)), through):
        vector = goals - origin
        rays = Rays(
            origin.astype(np.float32), (vector / np.linalg.norm(vector, axis=1, keepdims=True)).astype(np.float32)
        )
        offsets = np.array([-1, 0, 1, 2, 3], np.float32)
        opening = opening_in_wall(rays, [ParallelPlanes(axis, offsets) for axis in np.eye(3, dtype=np.float32)])
        if goals is through:
            planes = [
                ParallelPlanes(axis, np.array([-1, 0, 1, 2, 3], np.float32)) for axis in np.eye(3, dtype=np.float32)
            ]
            opening = opening_in_wall(rays, planes)
            np.testing.assert_allclose(opening.center, (2, 0, 0), atol=0.06)
            lengths = np.sort(np.linalg.norm(opening.axes, axis=0))
            np.testing.assert_allclose(lengths[1:], COVERED_AXES / 3**0.5 * np.array([0.2, 0.8]), rtol=0.1)
            assert lengths[0] == pytest.approx(THICKNESS * lengths[2], rel=1e-4)
        else:
            np.testing.assert_allclose(crossing_of_most(rays), at, atol=1e-3)
            np.testing.assert_allclose(opening.center, at, atol=1e-3)
            assert np.linalg.det(opening.axes) != 0
