"""Composed scenes: of all that they are described as, exposed, and with a camera that sees something."""

import math
from collections import Counter

import numpy as np
import pytest

from luxel import InputError
from luxel.scene import Box, Composed, Cylinder, Ellipsoid, Panel, Plane, Scene, Sphere
from luxel.scene.arrangements import IN_THE_AIR, ON_THE_GROUND, Floor, ball, nested, pile, rod, towers
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import IDENTITY
from luxel.scene.draws import Draws
from luxel.scene.finishes import FINISHES, Palette, clear_glass, metal, rough_glass
from luxel.scene.lamps import IN_A_ROOM, OPEN_AIR, lamp, lit, solid_angle
from luxel.scene.placing import contains, extents, facing
from luxel.scene.surroundings import KINDS, Site, surround

ORIGIN = (0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def scenes():
    return [Composed(max_objects=96)(3, index) for index in range(300)]


@pytest.fixture(scope="module")
def objects(scenes):
    return [item for scene in scenes for item in scene.objects]


@pytest.fixture(scope="module")
def materials(objects):
    return [item.material for item in objects]


def lamps(scene):
    return [item for item in scene.objects if item.material.is_emissive]


def size(scene):
    """The distance that the camera looks over, by which lengths are measured here."""
    return math.dist(scene.camera.position, scene.camera.look_at)


def test_random_access(scenes):
    assert [Composed(max_objects=96)(3, index) for index in (7, 5, 2)] == [scenes[index] for index in (7, 5, 2)]
    assert len({scene.to_json() for scene in scenes}) == len(scenes)


def test_json_round_trip(scenes):
    for scene in scenes[:60]:
        text = scene.to_json()
        assert Scene.from_json(text) == scene
        assert Scene.from_json(text).to_json() == text


@pytest.mark.parametrize("most", [3, 4, 7, 8, 16, 256])
def test_there_are_at_most_max_objects(most):
    counts = [len(Composed(max_objects=most)(1, index).objects) for index in range(12)]
    assert 2 <= max(counts) <= most


def test_most_scenes_are_small_and_few_are_crowded(scenes):
    counts = np.array([len(scene.objects) for scene in scenes])
    assert np.mean((counts >= 3) & (counts <= 16)) > 0.6
    assert 0.01 < np.mean(counts > 48) < 0.12
    assert counts.max() > 80


def test_every_shape_is_common(objects):
    counts = Counter(item.shape for item in objects) | Counter(
        item.outline for item in objects if isinstance(item, Panel)
    )
    for shape in ("sphere", "ellipsoid", "box", "cylinder", "rectangle", "ellipse", "plane"):
        assert counts[shape] > 50, shape
    upright = [abs(rotation_matrix(item.rotation)[2, 2]) for item in objects if isinstance(item, Cylinder)]
    assert sum(cosine > 0.999 for cosine in upright) > 30
    assert sum(cosine < 0.2 for cosine in upright) > 30
    thin = [max(item.scale) / min(item.scale) for item in objects if isinstance(item, Ellipsoid | Cylinder | Box)]
    assert sum(ratio > 8 for ratio in thin) > 100
    assert max(thin) > 40


def test_every_ground_occurs(scenes):
    def ground(scene):
        return scene.objects[0]

    planes = [scene for scene in scenes if isinstance(ground(scene), Plane) and ground(scene).normal == (0, 0, 1)]
    radii = [ground(scene).radius / size(scene) for scene in scenes if isinstance(ground(scene), Sphere)]
    slabs = [scene for scene in scenes if isinstance(ground(scene), Box) and ground(scene).rotation == IDENTITY]
    rooms = [walls(scene) for scene in scenes]
    assert len(planes) > 30
    assert sum(radius > 100 for radius in radii) > 10
    assert sum(1 < radius < 10 for radius in radii) > 10
    assert len(slabs) > 30
    assert sum(count >= 3 for count in rooms) > 45
    assert {3, 4, 5, 6} <= set(rooms)


def walls(scene):
    """How many sides a room has: objects alike in shape, from the first on, whose normals are along the axes."""
    first = scene.objects[0]
    if not isinstance(first, Panel | Plane):
        return 0
    count = 0
    for item in scene.objects:
        normal = rotation_matrix(item.rotation)[:, 2]
        if type(item) is not type(first) or item.material.is_emissive or np.abs(normal).max() < 1 - 1e-6:
            break
        count += 1
    return min(count, 6)


def test_every_material_is_there(materials):
    kinds = {
        "matte": sum(not one.metallic and not one.transmission and one.roughness >= 0.3 for one in materials),
        "plastic": sum(not one.metallic and not one.transmission and one.roughness < 0.3 for one in materials),
        "metal": sum(one.metallic == 1 and one.roughness > 0 for one in materials),
        "mirror": sum(one.metallic == 1 and one.roughness == 0 for one in materials),
        "half metal": sum(0 < one.metallic < 1 for one in materials),
        "clear glass": sum(one.transmission == 1 and one.roughness == 0 and one.specular == 0.5 for one in materials),
        "low index": sum(one.transmission == 1 and one.roughness == 0 and one.specular == 0.1 for one in materials),
        "rough glass": sum(one.transmission == 1 and one.roughness > 0 for one in materials),
        "partly transmissive": sum(0 < one.transmission < 1 for one in materials),
        "transmissive metal": sum(one.metallic == 1 and one.transmission == 1 for one in materials),
    }
    assert min(kinds.values()) > 8, kinds
    values = [max(one.base_color) for one in materials]
    assert min(values) < 0.05
    assert max(values) > 0.93


def test_metals_and_glasses_are_as_smooth_as_described():
    draws = Draws(1, 0)
    metals = np.array([metal(draws).roughness for _ in range(500)])
    assert metals.max() <= 0.6
    assert np.median(metals) < 0.3
    assert {clear_glass(draws).roughness for _ in range(20)} == {0.0}
    assert all(0.05 <= rough_glass(draws).roughness <= 0.6 for _ in range(100))


def test_scenes_without_a_sky_have_a_lamp(scenes):
    dark = [scene for scene in scenes if not any(scene.background)]
    assert 45 < len(dark) < 105
    assert all(lamps(scene) for scene in dark)
    brightness = np.array([max(scene.background) for scene in scenes])
    for low, high in ((0.008, 0.1), (0.2, 1.0), (1.0, 1.5)):
        assert np.sum((brightness > low) & (brightness <= high)) > 25


def test_closed_rooms_have_a_lamp(scenes):
    closed = [scene for scene in scenes if walls(scene) == 6]
    assert closed
    assert all(lamps(scene) for scene in closed)


def test_lamps_are_of_every_size_and_shape(scenes):
    emitters = [(item, size(scene)) for scene in scenes for item in lamps(scene)]
    assert {item.shape for item, _ in emitters} >= {"sphere", "ellipsoid", "box", "cylinder", "panel"}
    ratios = np.array([item.bounding_radius / length for item, length in emitters])
    assert ratios.min() < 0.005
    assert ratios.max() > 2
    assert sum(len(lamps(scene)) > 12 for scene in scenes) >= 3
    assert max(len(lamps(scene)) for scene in scenes) > 30
    assert sum(not lamps(scene) for scene in scenes) > 30


def test_lamps_and_other_things_are_in_glass(scenes):
    inside = Counter()
    for scene in scenes:
        for glass in scene.objects:
            if glass.material.transmission == 1 and glass.material.roughness == 0 and not glass.material.is_emissive:
                for number in np.flatnonzero(contains(glass, np.array([item.center for item in scene.objects]))):
                    inside[scene.objects[number].material.is_emissive] += scene.objects[number] is not glass
    assert inside[True] >= 5
    assert inside[False] >= 5


def test_cameras_are_neither_in_opaque_objects_nor_below_the_ground(scenes):
    in_glass = 0
    for scene in scenes:
        eye = np.array([scene.camera.position])
        for item in scene.objects:
            if not isinstance(item, Panel) and contains(item, eye)[0]:
                assert item.material.transmission == 1, scene.to_json()
                in_glass += 1
    assert 2 <= in_glass < 30


def test_scales_differ(scenes):
    lengths = np.array([size(scene) for scene in scenes])
    assert lengths.min() < 0.2
    assert lengths.max() > 100
    assert 0.6 < np.mean((lengths > 0.5) & (lengths < 30)) < 0.95
    far = [max(map(abs, scene.camera.look_at)) / size(scene) for scene in scenes]
    assert 10 < sum(ratio > 3 for ratio in far) < 90


def gaps(objects):
    """Distances between the surfaces of spheres."""
    return [
        math.dist(one.center, other.center) - one.radius - other.radius
        for number, one in enumerate(objects)
        for other in objects[:number]
    ]


def test_piled_balls_touch_and_do_not_overlap():
    draws = Draws(5, 0)
    for _ in range(10):
        objects = pile(draws, Palette(draws), 40)
        heights = [item.center[2] - item.radius for item in objects]
        assert min(heights) > -1e-9
        for number, item in enumerate(objects):
            if heights[number] > 1e-9:
                assert min(map(abs, gaps([*objects[:number], item])[-number:])) < 1e-6
        assert min(gaps(objects), default=0) > -1e-6


def test_strewn_balls_do_not_overlap():
    draws = Draws(6, 0)
    floor, objects = Floor(), []
    for _ in range(40):
        objects.append(floor.place(draws, ball(draws, draws.uniform(0.1, 0.5), Palette(draws))))
    assert min(gaps(objects)) >= 0


@pytest.mark.parametrize("arrangement", ON_THE_GROUND | IN_THE_AIR, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("count", [1, 2, 5, 23])
def test_arrangements_stand_on_the_ground(arrangement, count):
    draws = Draws(7, count)
    for _ in range(8):
        objects = arrangement(draws, Palette(draws), count)
        assert 1 <= len(objects) <= count
        assert min(item.center[2] - extents(item)[2] for item in objects) > -1e-9


def test_towers_stand_one_on_the_other_and_what_is_in_glass_stays_in_it():
    draws = Draws(8, 0)
    heights = [max(item.center[2] for item in towers(draws, Palette(draws), 12)) for _ in range(30)]
    assert max(heights) > 2
    for _ in range(30):
        outer, inner, *_ = nested(draws, Palette(draws), 9)
        assert contains(outer, np.array([inner.center]))[0]
        assert inner.bounding_radius < min(outer.scale)


def test_rods_are_thin():
    draws = Draws(9, 0)
    ratios = [max(one.scale) / min(one.scale) for one in (rod(draws, 0.5, Palette(draws)) for _ in range(300))]
    assert min(ratios) > 7.9
    assert 55 < max(ratios) < 60.1


@pytest.mark.parametrize("kind", [*OPEN_AIR, *IN_A_ROOM], ids=lambda kind: kind.__name__)
def test_lamps_bring_the_irradiance_that_is_asked_for(kind):
    site = Site((0.0, 0.0, 1.0), 1.0, (-9.0, -9.0, 0.0), (9.0, 9.0, 9.0))
    draws = Draws(10, 0)
    for most in (1, 2, 70):
        made = lamp(draws, site, (0.0, -4.0, 2.0), {kind: 1.0}, [], most)
        assert 1 <= len(made.emitters) + len(made.others) <= most
        emitters = lit(draws, made.emitters, site, 0.8)
        weights = np.array((0.2126, 0.7152, 0.0722))
        irradiance = sum(solid_angle(item, site.focus) * (weights @ item.material.emission) for item in emitters)
        assert math.isclose(irradiance, 0.8 * math.pi, rel_tol=1e-4)


def test_solid_angles():
    """4π sin²(α/4) of a far ball; a panel's by its front alone, and a hemisphere if it is endless."""
    assert math.isclose(solid_angle(Sphere(center=(0, 0, 50), radius=1), ORIGIN), math.pi / 2500, rel_tol=1e-3)
    endless = Panel(center=(0, 0, 1), half_extents=(1e4, 1e4), rotation=facing((0.0, 0.0, -1.0)))
    assert math.isclose(solid_angle(endless, ORIGIN), 2 * math.pi, rel_tol=1e-3)
    assert solid_angle(endless, (0.0, 0.0, 2.0)) == 0
    tube = Cylinder(center=(0, 30, 0), radius=0.1, half_height=2)
    assert math.isclose(solid_angle(tube, ORIGIN), 0.8 / 900, rel_tol=1e-2)


def test_walls_face_inwards():
    for index in range(40):
        draws = Draws(11, index)
        group = [Sphere(center=(0, 0, 0.5), radius=0.5)]
        surroundings = surround(draws, "room", group, 6)
        for wall in surroundings.around:
            inward = np.array(surroundings.site.focus) - wall.center
            assert rotation_matrix(wall.rotation)[:, 2] @ inward > 0


def test_weights_are_shares():
    for weights in (KINDS, FINISHES, ON_THE_GROUND, IN_THE_AIR, OPEN_AIR, IN_A_ROOM):
        assert math.isclose(sum(weights.values()), 1.0)


def test_too_few_objects_are_refused():
    with pytest.raises(InputError, match=r"max_objects is 2, must be an integer in \[3, "):
        Composed(max_objects=2)
