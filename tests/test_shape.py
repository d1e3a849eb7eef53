"""What holds for every shape: extents, areas, where they shine, and derivatives of distances."""

import math

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, derivatives, run, unit_vectors
from shapes import (
    PANELS,
    SOLIDS,
    Images,
    differences,
    directions_sampled,
    first_crossing,
    random_objects,
    surface_points,
)

from luxel.core.sampling import sobol_point
from luxel.core.scenes import Scenes, launchable, shape_of
from luxel.core.shapes.kinds import BOX, CYLINDER, DISC, ELLIPSOID, PLANE, RECTANGLE, SPHERE
from luxel.core.shapes.shape import (
    bounding_radius,
    half_extent,
    intersect_shape,
    is_lit_by,
    surface_area,
)
from luxel.scene import Box, Cylinder, Ellipsoid, Panel
from luxel.scene.description import Object

KINDS = {
    **{"sphere": SPHERE, "ellipsoid": ELLIPSOID, "box": BOX, "cylinder": CYLINDER},
    **{"rectangle": RECTANGLE, "disc": DISC, "plane": PLANE},
}
BOUNDED = [*SOLIDS, *PANELS]


@wp.kernel(enable_backward=False)
def sizes(
    scenes: Scenes,
    object_id: wp.array[int],
    n: wp.array[wp.vec3],
    extent: wp.array[float],
    radius: wp.array[float],
    area: wp.array[float],
):
    i = wp.tid()
    shape = shape_of(scenes.objects[object_id[i]])
    extent[i] = half_extent(shape.kind, shape.world_from_unit, n[i])
    radius[i] = bounding_radius(shape.kind, shape.scale)
    area[i] = surface_area(shape.kind, shape.scale)


@wp.kernel(enable_backward=False)
def lit(kind: wp.array[int], start: wp.array[wp.vec3], is_lit: wp.array[int]):
    i = wp.tid()
    is_lit[i] = wp.where(is_lit_by(kind[i], start[i]), 1, 0)


@wp.kernel(enable_backward=False)
def net(index: wp.array[int], u: wp.array[wp.vec2]):
    i = wp.tid()
    u[i] = sobol_point(index[i], 0)


@wp.kernel
def distances(
    kind: wp.array[int],
    center: wp.array[wp.vec3],
    rotation: wp.array[wp.mat33],
    scale: wp.array[wp.vec3],
    origin: wp.array[wp.vec3],
    direction: wp.array[wp.vec3],
    t: wp.array[float],
):
    """To shapes given by what may be learned, as unit_from_world = diag(1 / scale) · rotationᵀ."""
    i = wp.tid()
    unit_from_world = wp.diag(wp.cw_div(wp.vec3(1.0, 1.0, 1.0), scale[i])) * wp.transpose(rotation[i])
    t[i] = intersect_shape(kind[i], center[i], unit_from_world, origin[i], direction[i], False)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", BOUNDED)
@pytest.mark.parametrize("ratio", [10.0, 1000.0])
def test_extents_and_radii_hold_the_surface_and_no_more(ratio, kind, device):
    images = Images.of(kind, random_objects(kind, 31, 0, ratio), device)
    which = np.repeat(np.arange(31), 7)
    n = unit_vectors(len(which), 1)
    n[::7] = np.eye(3)[np.arange(31) % 3]  # as bounding boxes ask
    extent, radius, _ = run(sizes, launchable(images.batch), which.astype(np.int32), n, device=device)
    for row in range(len(which)):
        if kind in ("box", "rectangle"):  # random points rarely are near corners
            corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
            vector = images.to_world(np.full(8, which[row]), corners * [1, 1, kind == "box"])
        else:
            points, _, _ = surface_points(images, np.full(4001, which[row]), row)
            vector = points - images.center[which[row]]
        farthest, longest = np.abs(vector @ n[row]).max(), np.linalg.norm(vector, axis=1).max()
        assert farthest <= extent[row] * (1 + 1e-5)
        assert farthest >= extent[row] * 0.93
        assert longest <= radius[row] * (1 + 1e-5)
        assert longest >= radius[row] * 0.93


@pytest.mark.parametrize("device", DEVICES)
def test_a_plane_has_no_bounds(device):
    images = Images.of("plane", random_objects("plane", 5, 0), device)
    n = unit_vectors(5, 1)
    for values in run(sizes, launchable(images.batch), np.arange(5, dtype=np.int32), n, device=device):
        assert np.isinf(values).all()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", BOUNDED)
def test_areas_are_the_surfaces(kind, device):
    """Of ellipsoids, Thomsen's, to about a hundredth; of panels, that of the front."""
    images = Images.of(kind, random_objects(kind, 31, 2), device)
    n = unit_vectors(31, 1)
    area = run(sizes, launchable(images.batch), np.arange(31, dtype=np.int32), n, device=device)[2]
    a, b, c = images.scale.T
    expected = {
        "box": 8 * (a * b + b * c + c * a),
        "cylinder": 2 * math.pi * a * (a + 2 * c),
        "rectangle": 4 * a * b,
        "disc": math.pi * a * b,
        "sphere": 4 * math.pi * a * a,
        "ellipsoid": np.zeros(31),
    }[kind]
    if kind == "ellipsoid":  # ∫ abc |n / s| over the unit sphere
        directions = unit_vectors(20_011, 3).astype(np.float64)
        stretch = np.linalg.norm(directions / images.scale[:, None], axis=-1).mean(1)
        expected = 4 * math.pi * a * b * c * stretch
    np.testing.assert_allclose(area, expected, rtol=2e-2 if kind == "ellipsoid" else 1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_shapes_shine_outside_and_panels_before_their_fronts(device):
    inside, corner, above, below = [0, 0, -0.5], [0.9, 0.9, 0.9], [0, 0, 1.1], [0, 0, -1.1]
    expected = {
        "sphere": [False, True, True, True],
        "ellipsoid": [False, True, True, True],
        "box": [False, False, True, True],
        "cylinder": [False, True, True, True],
        "rectangle": [False, True, True, False],
        "disc": [False, True, True, False],
        "plane": [False, False, False, False],  # it is no light that can be looked for
    }
    start = np.array([inside, corner, above, below] * len(expected), np.float32)
    kind = np.repeat([KINDS[name] for name in expected], 4).astype(np.int32)
    found = run(lit, kind, start, device=device)[0].reshape(-1, 4).astype(bool).tolist()
    assert found == list(expected.values())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("side", ["outside", "inside"])
def test_derivatives_of_distances_are_those_of_differences(side, name, device):
    """By centre, rotation matrix, scale, origin and direction, of rays that hit well inside the outline."""
    count = 211
    images = Images.of(name, random_objects(name, count, 4, ratio=3.0))
    which = np.arange(count)
    on, normal, _ = surface_points(images, which, 5)
    away = unit_vectors(count, 6).astype(np.float64)
    cosine = (away * normal).sum(1)
    origin = on + 2 * away * np.sign(cosine)[:, None] if side == "outside" or name not in SOLIDS else images.center
    direction = (on - origin) / np.linalg.norm(on - origin, axis=1, keepdims=True)
    kind = np.full(count, KINDS[name], np.int32)
    fields = (images.center, images.rotation, images.scale, origin, direction)
    arrays = [np.ascontiguousarray(field, np.float32) for field in fields]
    found = derivatives(distances, kind, *arrays, device=device)

    def distance(number: int, values: np.ndarray) -> np.ndarray:
        center, rotation, scale, origin, direction = (
            values if place == number else array.astype(np.float64) for place, array in enumerate(arrays)
        )
        start, along = (np.einsum("nji,nj->ni", rotation, v) / scale for v in (origin - center, direction))
        return first_crossing(name, start, along)

    for number, array in enumerate(arrays):
        at, step = array.astype(np.float64), 1e-5
        slope = differences(lambda values, number=number: distance(number, values), at, step)
        coarse = differences(lambda values, number=number: distance(number, values), at, 10 * step)
        with np.errstate(invalid="ignore"):
            apart = np.abs(slope - coarse).reshape(count, -1).max(1)
        sure = (apart < 1e-3) & (np.abs(slope).reshape(count, -1).max(1) < 30)  # neither an edge, nor at a slant
        assert sure.mean() > 0.5
        np.testing.assert_allclose(found[number][sure], slope[sure], rtol=2e-3, atol=2e-3)
        assert np.abs(slope[sure]).max() > 0.1 or (number == 2 and name not in SOLIDS)  # what is flat has no depth
    t = run(distances, kind, *arrays, device=device)[0]
    np.testing.assert_allclose(t, np.linalg.norm(on - origin, axis=1), rtol=1e-4 if name in SOLIDS else 1, atol=1e-4)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", KINDS)
def test_rays_that_miss_have_no_derivatives(name, device):
    kind, up = np.full(3, KINDS[name], np.int32), np.tile(np.array([0, 0, 1], np.float32), (3, 1))
    ones, turn = np.ones((3, 3), np.float32), np.tile(np.eye(3, dtype=np.float32), (3, 1, 1))
    origin = np.array([[0, 0, 9], [9, 0, 2], [0.3, 0.2, 9]], np.float32)
    for derivative in derivatives(distances, kind, 0 * up, turn, ones, origin, up, device=device):
        np.testing.assert_array_equal(derivative, 0)


PLACE = {"center": (0.3, -0.2, 0.1), "rotation": (0.6, 0.3, -0.5, 0.4)}
LONG = {  # and the axis along which they are long
    "egg": ("ellipsoid", Ellipsoid(semi_axes=(0.3, 0.1, 1), **PLACE), 2),
    "needle": ("ellipsoid", Ellipsoid(semi_axes=(0.05, 1, 0.05), **PLACE), 1),
    "tube": ("cylinder", Cylinder(radius=0.05, half_height=1, **PLACE), 2),
    "beam": ("box", Box(half_extents=(1, 0.06, 0.05), **PLACE), 0),
    "pole": ("box", Box(half_extents=(0.05, 0.06, 1), **PLACE), 2),
    "ribbon": ("rectangle", Panel(half_extents=(0.05, 1), **PLACE), 1),
    "sliver": ("disc", Panel(half_extents=(0.05, 1), outline="ellipse", **PLACE), 1),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("kind", "item", "axis"), LONG.values(), ids=LONG)
def test_patterns_of_rays_are_stratified_along_long_lamps(kind: str, item: Object, axis: int, device: str):
    """From the side each of 16 rays goes to a sixteenth of its own, for any tile's pattern, but for perspective."""
    rays, tiles, count = 16, 256, 29
    images = Images.of(kind, [item], device)
    away = unit_vectors(count, 7).astype(np.float64)
    away[:, axis] = 0
    away[:, 2] = np.abs(away[:, 2])  # before a panel
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    point = np.float32(images.center + 8 * away @ images.rotation[0].T)
    u = np.tile(run(net, np.arange(rays * tiles, dtype=np.int32), device=device)[0], (count, 1))
    which, origin = np.zeros(len(u), np.int32), np.repeat(point, rays * tiles, axis=0)
    direction, _ = run(directions_sampled, launchable(images.batch), which, origin, u, device=device)
    local = (direction @ images.rotation[0]).reshape(count, rays * tiles, 3)
    place = local[:, :, axis] / np.einsum("prk,pk->pr", local, -away)  # along the lamp, over the distance
    rank = (place.argsort(1).argsort(1) + 0.5) / (rays * tiles)
    strata = np.sort(rank.reshape(count, tiles, rays), axis=2) * rays - np.arange(rays)
    assert strata.min() > -0.2
    assert strata.max() < 1.2
