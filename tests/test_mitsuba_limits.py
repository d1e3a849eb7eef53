"""What Mitsuba is known to get wrong is named, and nothing else."""

import pytest

from luxel.scene import Box, Camera, Cylinder, Ellipsoid, Material, Panel, Plane, Scene, Sphere, Varied
from luxel.scene.camera import rotation_matrix
from luxel.trace.mitsuba_limits import known_wrong, surface_distance

LAMP = Material(base_color=(0, 0, 0), specular=0, emission=(2, 3, 5))
GREY = Material(base_color=(0.3, 0.5, 0.7), specular=0, roughness=0.3)
TURN = (0.8, 0.3, -0.4, 0.33)
PLACED = {"center": (0.2, -0.1, 0.1), "rotation": TURN}


def box(material=GREY, half_extents=(0.7, 0.5, 0.3), **placed):
    return Box(half_extents=half_extents, material=material, **PLACED | placed)


def cylinder(material=GREY, radius=0.7, half_height=0.3, **placed):
    return Cylinder(radius=radius, half_height=half_height, material=material, **PLACED | placed)


def panel(material=GREY, half_extents=(0.7, 0.4), **placed):
    return Panel(half_extents=half_extents, material=material, **PLACED | placed)


def disc(material=GREY, half_extents=(0.7, 0.4), **placed):
    return panel(material, half_extents, outline="ellipse", **placed)


def plane(material=GREY, center=(7, -5, 2), normal=(0.3, -0.5, 0.9)):
    return Plane(center=center, normal=normal, material=material)


def ball(material=GREY, radius=1.0, center=(0, 0, 0)):
    return Sphere(center=center, radius=radius, material=material)


def flat(material=GREY, thickness=0.01):
    return Ellipsoid(center=(0, 5, 0), semi_axes=(1, 1, thickness), material=material)


def viewed(*objects, position=(0, -5, 0), background=(1.0, 1.0, 1.0)):
    return Scene(objects=objects, camera=Camera(position=position, look_at=(0, 0, 0)), background=background)


GLASS = Material(base_color=(1, 1, 1), transmission=1)
COARSE = "beyond 10000 Mitsuba's numbers are too coarse"
MISSES = "above 1000 Mitsuba's hit points miss its surface"


@pytest.mark.parametrize(
    ("wrong", "reasons"),
    [
        # shared/cases: mit_ground, ground_1e5, mit_far_origin, mit_far_clip, small_lamp, small_units
        (
            Scene(
                objects=(ball(radius=3000, center=(0, 0, -3000)),),
                camera=Camera(position=(0, 0, 1), look_at=(0, 1, 0)),
            ),
            [f"objects[0] extends 3000 from its center: {MISSES}"],
        ),
        (
            viewed(ball(center=(0, 9, 0)), ball(radius=1e5, center=(0, 0, -1e5 - 1))),
            [
                f"objects[1] extends 100000 from its center: {MISSES}",
                f"objects[1] has its center at (0.0, 0.0, -100001.0): {COARSE}",
            ],
        ),
        (
            viewed(ball(GLASS, center=(30_000, 0, 0)), position=(30_000, -4, 0)),
            [
                f"camera.position is (30000.0, -4.0, 0.0): {COARSE}",
                f"objects[0] has its center at (30000.0, 0.0, 0.0): {COARSE}",
                "objects[0] extends 1 from its center: below 27, at this place, Mitsuba's rays skip parts of it",
            ],
        ),
        (
            viewed(ball(LAMP, radius=80_000, center=(700_000, 0, 0)), position=(-700_000, 0, 0)),
            [
                f"camera.position is (-700000.0, 0.0, 0.0): {COARSE}",
                f"objects[0] extends 80000 from its center: {MISSES}",
                f"objects[0] has its center at (700000.0, 0.0, 0.0): {COARSE}",
                "objects[0] is 1.32e+06 from the camera: Mitsuba sees nothing farther than 1e+06",
            ],
        ),
        (
            viewed(ball(LAMP, radius=1e-3, center=(0, 0, 1)), ball(radius=20, center=(0, 0, -20.5))),
            [
                "objects[0] is a lamp of radius 0.001, 1.5 from objects[1]: "
                "below 0.002 of that Mitsuba samples it wrongly"
            ],
        ),
        (
            viewed(ball(radius=1e-4), position=(0, -3e-4, 0)),
            [
                "objects[0] extends 0.0001 from its center: below 0.00089, at this place",
                "objects[0] is 0.0002 from the camera: Mitsuba sees nothing nearer than 0.001",
            ],
        ),
        # what else was measured
        (viewed(box(half_extents=(1, 1001, 1))), [f"objects[0] extends 1001 from its center: {MISSES}"]),
        (viewed(panel(half_extents=(2000, 1))), [f"objects[0] extends 2000 from its center: {MISSES}"]),
        (viewed(cylinder(half_height=2000)), [f"objects[0] extends 2000 from its center: {MISSES}"]),
        (viewed(flat(thickness=0.002)), ["objects[0] has a semi-axis of 0.002: below 0.0024, so far from the camera"]),
        (viewed(box(GLASS, half_extents=(1, 1, 9e-4))), ["objects[0] extends 0.0009 from its center: below 0.0011"]),
        (viewed(ball(radius=0.8, center=(0, 0, 999))), ["objects[0] extends 0.8 from its center: below 0.89"]),
        (
            viewed(ball(), ball(LAMP, radius=0.02, center=(2, 0, 0)), panel(center=(2, 0, 11), rotation=(1, 0, 0, 0))),
            ["objects[1] is a lamp of radius 0.02, 11 from objects[2]: below 0.002 of that Mitsuba samples it wrongly"],
        ),
        (viewed(plane(), position=(0, -1, 2000)), ["objects[0] is 1.67e+03 from the camera: above 1000 its horizon"]),
    ],
)
def test_what_mitsuba_is_known_to_get_wrong(wrong, reasons):
    lines = known_wrong(wrong)
    assert len(lines) == len(reasons)
    for line, reason in zip(lines, reasons, strict=True):
        assert line.startswith(reason)
        assert line.endswith("; use --tracer path")


@pytest.mark.parametrize(
    "sound",
    [
        viewed(ball(radius=1000, center=(0, 0, -1000)), ball(center=(9000, 0, 0), radius=9)),
        viewed(disc(half_extents=(5000, 3000)), plane(center=(3e5, 2e5, 1e5), normal=(2, -3, 0))),
        viewed(flat(thickness=0.003), flat(LAMP, thickness=1e-6)),
        viewed(box(half_extents=(1, 1, 1e-6)), panel(), cylinder(GLASS, half_height=0.002)),
        viewed(*(lamp(LAMP, half_extents=(1e-5,) * extents) for lamp, extents in [(box, 3), (panel, 2), (disc, 2)])),
        viewed(ball(LAMP, radius=1e-4)),  # lights nothing
        viewed(ball(LAMP, radius=0.021), plane(center=(0, 0, -10), normal=(0, 0, 1))),
        viewed(ball(LAMP.model_copy(update={"transmission": 0.5}), radius=0.002), ball(center=(0, 5, 0))),  # a mesh
        viewed(ball(GLASS), position=(0, -0.99, 0)),
        *(Varied()(0, index) for index in range(30)),
    ],
)
def test_nothing_is_held_against_what_was_right(sound):
    assert known_wrong(sound) == []


@pytest.mark.parametrize(
    ("item", "local", "distance"),
    [
        (box(half_extents=(2, 3, 6)), (5, -7, 1), 5),
        (box(half_extents=(2, 3, 6)), (-1.25, 0, 1), 0.75),
        (cylinder(radius=5, half_height=12), (0, -9, 15), 5),
        (cylinder(radius=5, half_height=12), (3, 0, 1), 2),
        (panel(half_extents=(3, 4)), (-6, 8, -12), 13),
        (panel(half_extents=(3, 4)), (2, 3, 0.5), 0.5),
        (disc(half_extents=(3, 4)), (9, 0, 8), 10),
        (disc(half_extents=(3, 4)), (1, -2, 7), 7),
        (Ellipsoid(semi_axes=(1, 2, 3), **PLACED), (0, 0, -7), 4),
        (Ellipsoid(semi_axes=(1, 2, 3), **PLACED), (0, 1.5, 0), 0.5),
        (Ellipsoid(semi_axes=(1, 2, 3), **PLACED), (0, 0, 0), 1),
        (ball(radius=2, center=(3, 4, 5)), (2, 3, 6), 5),
        (ball(radius=2, center=(3, 4, 5)), (0, 0.5, 0), 1.5),
        (plane(), (12, 13, -5), 5),
    ],
)
def test_distance_of_the_surface(item, local, distance):
    point = rotation_matrix(item.rotation) @ local + item.center
    assert surface_distance(item, tuple(point.tolist())) == pytest.approx(distance)
