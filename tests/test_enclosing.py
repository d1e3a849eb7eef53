import pytest

from luxel.scene.description import Box, Camera, Cylinder, Ellipsoid, Material, Panel, Plane, Scene, Sphere
from luxel.scene.enclosing import enclosing_object
from luxel.viewer.blindness import blindness

FAR = Sphere(center=(50, 50, 50), radius=1.0)
TURNED = (0.5**0.5, 0.0, 0.0, 0.5**0.5)
"""A quarter turn about z: x becomes y."""
HERE, THERE = (0.0, 1.5, 0.5), (1.5, 0.0, 0.5)


def seen_from(position, *objects, own=(0, 0, 9)):
    """The scene, and a camera that stands there; the scene's own stands elsewhere."""
    camera = Camera(position=position, look_at=(7, 8, 9))
    return Scene(objects=(FAR, *objects), camera=Camera(position=own, look_at=(7, 8, 9))), camera


@pytest.mark.parametrize(
    ("item", "inside", "outside"),
    [
        (Sphere(center=(1, 0, 0), radius=2), (2.5, 0, 0), (-1.1, 0, 0)),
        (Ellipsoid(center=(0, 0, 0), semi_axes=(2, 1, 1), rotation=TURNED), HERE, THERE),
        (Box(center=(0, 0, 0), half_extents=(2, 1, 1), rotation=TURNED), HERE, THERE),
        (Cylinder(center=(0, 0, 1), radius=1, half_height=2), (0.6, 0.6, 2.9), (0.8, 0.8, 2.9)),
        (Plane(center=(0, 0, 1), normal=(0, 0, 1)), (5, 5, 0.9), (5, 5, 1.1)),
        (Plane(center=(0, 0, 1), normal=(0, 0, -1)), (5, 5, 1.1), (5, 5, 0.9)),
    ],
    ids=["sphere", "ellipsoid", "box", "cylinder", "ground", "ceiling"],
)
def test_a_solid_encloses_what_is_behind_its_surface(item, inside, outside):
    assert enclosing_object(*seen_from(inside, item)) == 1
    assert enclosing_object(*seen_from(outside, item)) is None


def test_there_is_no_inside_of_panels_and_glass_is_seen_out_of():
    assert enclosing_object(*seen_from((0, 0, 0), Panel(center=(0, 0, 0), half_extents=(1, 1)))) is None
    for metallic, found in ((0.0, None), (0.5, None), (1.0, 1)):
        glass = Material(transmission=1.0, metallic=metallic)
        assert enclosing_object(*seen_from((0, 0, 0), Sphere(center=(0, 0, 0), radius=1, material=glass))) == found


@pytest.mark.parametrize(("extent", "found"), [(1.9, 1), (2.1, None)])
def test_parallel_rays_start_between_four_corners_all_of_which_must_be_inside(extent, found):
    """A box of sides 2 around a square picture in its middle, turned as the picture is."""
    scene, _ = seen_from((0, 0, 0), Box(center=(0, 0, 0), half_extents=(1, 1, 1)))
    camera = Camera(position=(0, 0, 0), look_at=(0, 1, 0), projection="orthographic", vertical_extent=extent)
    assert enclosing_object(scene, camera) == found


def test_it_says_what_the_camera_is_inside_of_and_how_to_get_out():
    ground = Plane(center=(0, 0, 0))
    told = blindness(*seen_from((0, 0, -1), ground))
    assert told is not None
    assert told.startswith("The camera is inside objects[1] (plane), which is opaque: ")
    assert "press Look through it under Scene" in told
    told = blindness(*seen_from((0, 0, -1), ground, own=(0, 0, -2)))
    assert told is not None
    assert "or move the object" in told
    assert blindness(*seen_from((0, 0, 1), ground)) is None
