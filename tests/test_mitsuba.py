"""Mitsuba as a tracer: geometry against analytic values, statistics against theory.

Every statistical test has fixed seeds and a threshold for all of its values together (Šidák).
"""

import drjit
import mitsuba
import numpy as np
import pytest
from pinhole import primary_rays
from scipy import stats

from luxel.scene import Box, Camera, Cylinder, Ellipsoid, Material, Panel, Plane, Scene, Sphere
from luxel.scene.camera import rotation_matrix
from luxel.trace import MitsubaTracer, TraceError
from luxel.trace.mitsuba import scene_plugin

CAMERA = Camera(position=(1, -5, 0.5), look_at=(0.2, 0, 0.1), vertical_fov_degrees=35)
LAMP = Material(base_color=(0, 0, 0), specular=0, emission=(2, 3, 5))
GREY = Material(base_color=(0.3, 0.5, 0.7), specular=0, roughness=0.3)
CLEAR = Material(base_color=(1, 1, 1), specular=0, roughness=0, transmission=1)
TURN = (0.8, 0.3, -0.4, 0.33)
PLACED = {"center": (0.2, -0.1, 0.1), "rotation": TURN}
FLIPPED = (-0.3, 0.8, 0.33, 0.4)  # after half a turn about x: TURN times (0, 1, 0, 0)
TRACER = MitsubaTracer(threads=1)


def ellipsoid(material: Material) -> Ellipsoid:
    return Ellipsoid(
        center=(0.3, -0.2, 0.1), semi_axes=(1.1, 0.5, 0.23), rotation=(0.6, 0.3, -0.5, 0.4), material=material
    )


def scene(*objects, background=(0.0, 0.0, 0.0)) -> Scene:
    return Scene(objects=objects, camera=CAMERA, background=background)


def closest_approach(item, origin, directions):
    """Of rays to the centre, where the ellipsoid is the unit sphere: below 1 is a hit."""
    to_unit = rotation_matrix(item.rotation) / np.array(item.semi_axes)
    start, along = (origin - np.array(item.center)) @ to_unit, directions @ to_unit
    nearest = -(along @ start) / (along**2).sum(-1)
    return np.linalg.norm(start + nearest[:, None] * along, axis=-1)


def agree(one, other, false_alarm=1e-3):
    """Whether two estimates agree in every pixel and channel, by Student's t on 15 degrees of freedom."""
    t = np.abs(one.mean - other.mean) / np.sqrt(one.variance + other.variance + 1e-12)
    single = 1 - (1 - false_alarm) ** (1 / t.size)
    return t.max() < stats.t.ppf(1 - single / 2, df=15)


def test_progress_tells_every_pixel_once():
    told = []
    TRACER.trace([scene(ellipsoid(LAMP))] * 2, 7, 5, 19, 0, progress=told.append)
    assert len(told) == 2 * 16
    assert sum(told) == 2 * 7 * 5


def test_right_is_right_and_the_top_row_is_the_top():
    up_right = Sphere(center=(1.0, 0, 0.7), radius=0.3, material=LAMP)
    camera = Camera(position=(0, -5, 0), look_at=(0, 0, 0))  # cross(forward y, up z) = x
    image = TRACER.trace([Scene(objects=(up_right,), camera=camera)], 19, 17, 4, 0).mean[0]
    assert image.shape == (17, 19, 3)
    row, column = np.unravel_index(image.sum(-1).argmax(), (17, 19))
    assert row < 8
    assert column > 10


def test_radiance_is_what_the_scene_says():
    lamp = Sphere(center=(0.2, 0, 0.1), radius=0.5, material=LAMP)
    traced = TRACER.trace([scene(lamp, background=(0.2, 0.3, 0.7))], 9, 7, 16, 0)
    np.testing.assert_allclose(traced.mean[0, 0, 0], [0.2, 0.3, 0.7], rtol=1e-6)
    np.testing.assert_array_equal(traced.variance[0, 0, 0], 0)
    centre = traced.mean[0, 3, 4]
    assert np.all(centre >= LAMP.emission)  # a black surface still reflects at grazing angles, and the rest
    np.testing.assert_allclose(centre, LAMP.emission, rtol=0.02)
    assert traced.mean.dtype == traced.variance.dtype == np.float32
    assert traced.spp == 16


def test_a_render_in_one_call_is_the_first_batch_of_a_trace():
    world = scene(Sphere(center=(0.2, 0, 0.1), radius=0.5, material=LAMP), background=(0.2, 0.3, 0.7))
    image = TRACER.render(world, 9, 7, 1, 3)
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, TRACER.trace([world], 9, 7, 1, 3).mean[0])


@pytest.mark.parametrize("emission", [0.0, 1.0], ids=["instance", "mesh"])
def test_ellipsoid_outline_and_normals_are_analytic(emission):
    item = ellipsoid(Material(emission=(emission,) * 3))
    mitsuba.set_variant("scalar_rgb")
    loaded = mitsuba.load_dict(scene_plugin(scene(item), 8, 128, 6))
    error = 1.5e-4 if emission else 3e-6
    to_unit = rotation_matrix(item.rotation) / np.array(item.semi_axes)
    center = np.array(item.center)
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(1500):
        sight = random.normal(size=3)
        sight /= np.linalg.norm(sight)
        ray = mitsuba.Ray3f((center + random.normal(size=3) * 0.4 - 5 * sight).tolist(), sight.tolist())
        origin, direction = np.array(ray.o, np.float64), np.array(ray.d, np.float64)  # as float32 has them
        distance = closest_approach(item, origin, direction[None])[0]
        found = loaded.ray_intersect(ray)
        if abs(distance - 1) > error:
            assert found.is_valid() == (distance < 1)
        if found.is_valid() and distance < 0.99:
            hits += 1
            local = (np.array(found.p) - center) @ to_unit
            assert abs(np.linalg.norm(local) - 1) < error
            normal = to_unit @ local
            normal /= np.linalg.norm(normal)
            np.testing.assert_allclose(np.array(found.sh_frame.n), normal, atol=20 * error)
    assert hits > 300


@pytest.mark.parametrize(
    "item",
    [ellipsoid(LAMP), Sphere(center=(0.3, -0.2, 0.1), radius=0.7, material=LAMP)],
    ids=["ellipsoid", "sphere"],
)
def test_coverage_is_that_of_our_own_rays(item):
    """The share of a pixel that a light covers, against 32² of `primary_rays`: ties both cameras together."""
    width, height, spp, fine = 13, 11, 256, 32
    rays = primary_rays(CAMERA, width * fine, height * fine)
    hit = closest_approach(item, rays.origin, rays.directions.reshape(-1, 3)) < 1
    share = hit.reshape(height, fine, width, fine).mean(axis=(1, 3))
    traced = TRACER.trace([scene(item)], width, height, spp, 0).mean[0, :, :, 2] / LAMP.emission[2]
    # A regular grid of n² rays finds an edge's share to about 1/n^1.5; a random ray is a coin.
    spread = np.sqrt(share * (1 - share) / spp + fine**-3.0)
    single = 1 - (1 - 1e-3) ** (1 / share.size)
    edge = (share > 0) & (share < 1)
    assert edge.sum() > 10
    assert np.all(np.abs(traced - share) < stats.norm.isf(single / 2) * spread + 1e-3)


@pytest.mark.parametrize(
    "material",
    [
        Material(base_color=(0.8, 0.4, 0.1), roughness=0.4),
        Material(base_color=(0.9, 0.9, 0.9), transmission=1, roughness=0.3),
        Material(base_color=(0.8, 0.4, 0.1), emission=(2, 1, 0.5)),
    ],
    ids=["opaque", "glass", "light"],
)
def test_nearly_round_ellipsoid_is_a_sphere(material):
    """A sphere, an instance and a mesh give the same picture, and the same light on what is beside them."""
    neighbours = (
        Sphere(center=(-0.8, 0.3, -0.2), radius=0.5, material=Material(base_color=(0.8, 0.8, 0.8), metallic=0.3)),
        Sphere(center=(1.1, 0.5, 0.9), radius=0.4, material=LAMP),
    )
    sphere = Sphere(center=(0.3, -0.2, 0.1), radius=0.6, material=material)
    nearly = Ellipsoid(
        center=sphere.center, semi_axes=(0.6, 0.6, 0.60001), rotation=(0.6, 0.3, -0.5, 0.4), material=material
    )
    pair = [scene(item, *neighbours, background=(0.1, 0.1, 0.1)) for item in (sphere, nearly)]
    round_one = TRACER.trace(pair[:1], 13, 11, 2048, 1)
    assert agree(round_one, TRACER.trace(pair[1:], 13, 11, 2048, 2))
    other = material.model_copy(update={"base_color": (0.5, 0.4, 0.3), "emission": (0.1, 0.9, 0.1)})
    assert not agree(round_one, TRACER.trace([scene(sphere.model_copy(update={"material": other}))], 13, 11, 2048, 2))


@pytest.mark.parametrize("semi_axes", [(0.6, 0.6, 0.6), (0.7, 0.4, 0.5)], ids=["sphere", "ellipsoid"])
def test_glowing_glass_adds_its_glow_once(semi_axes):
    """A lone convex body meets no light of its own: with emission, it is brighter by that emission."""
    glass = Material(base_color=(0.8, 0.9, 0.8), transmission=0.7, roughness=0.4)
    glowing = glass.model_copy(update={"emission": (0.2, 0.4, 0.5)})
    bodies = [Ellipsoid(center=(0.2, 0, 0.1), semi_axes=semi_axes, material=one) for one in (glass, glowing)]
    plain, bright = (
        TRACER.trace([scene(body, background=(0.1, 0.1, 0.1))], 23, 19, 2048, seed) for seed, body in enumerate(bodies)
    )
    rays = primary_rays(CAMERA, 23, 19)
    inside = closest_approach(bodies[0], rays.origin, rays.directions.reshape(-1, 3)).reshape(19, 23) < 0.7
    assert inside.sum() > 10
    added = plain._replace(mean=plain.mean + np.float32(glowing.emission))
    assert agree(*(one._replace(mean=one.mean[:, inside], variance=one.variance[:, inside]) for one in (added, bright)))


@pytest.mark.parametrize("spp", [19, 32])
def test_variance_is_unbiased(spp):
    """Mean of the estimates against the spread of 60 means; 19 paths make unequal batches."""
    lit = scene(Sphere(center=(0.2, 0, 0.1), radius=0.8), ellipsoid(LAMP), background=(0.5, 0.5, 0.5))
    runs = [TRACER.trace([lit], 7, 5, spp, seed) for seed in range(60)]
    spread = np.var([run.mean for run in runs], axis=0, ddof=1).mean()
    estimate = np.mean([run.variance for run in runs])
    # 35 pixels, of which some ten matter, with 59 degrees of freedom each: √(2/590) = 6 %; three of them.
    assert estimate == pytest.approx(spread, rel=0.18)


def test_deterministic_in_scene_spp_and_seed():
    scenes = [
        scene(ellipsoid(LAMP), background=(0.1, 0.1, 0.1)),
        scene(ellipsoid(Material()), ellipsoid(LAMP)),
    ]
    both = TRACER.trace(scenes, 37, 35, 8, 5)
    alone = TRACER.trace(scenes[1:], 37, 35, 8, 5)
    np.testing.assert_array_equal(both.mean[1], alone.mean[0])
    np.testing.assert_array_equal(both.variance[1], alone.variance[0])
    assert not np.array_equal(TRACER.trace(scenes[1:], 37, 35, 8, 6).mean, alone.mean)


def test_threads_change_nothing():
    lit = [scene(ellipsoid(Material()), background=(0.3, 0.2, 0.1))]
    one = MitsubaTracer(threads=1).trace(lit, 65, 35, 4, 0)
    assert drjit.thread_count() == 1
    np.testing.assert_array_equal(MitsubaTracer(threads=3).trace(lit, 65, 35, 4, 0).mean, one.mean)
    assert drjit.thread_count() == 3
    drjit.set_thread_count(1)


def test_one_path_has_no_variance():
    traced = TRACER.trace([scene(ellipsoid(LAMP))], 3, 5, 1, 0)
    assert np.isinf(traced.variance).all()
    assert np.isfinite(traced.mean).all()
    with pytest.raises(TraceError, match="spp is 0"):
        TRACER.trace([scene(ellipsoid(LAMP))], 3, 5, 0, 0)


def test_depth_is_an_option():
    lit = [scene(Sphere(center=(0, 0, 0), radius=0.8), background=(1, 1, 1))]
    direct = MitsubaTracer(max_depth=1, threads=1).trace(lit, 5, 7, 16, 0).mean[0]
    assert not direct[3, 2].any()  # one segment sees lights only, and a sphere is none
    np.testing.assert_allclose(direct[0, 0], 1, rtol=1e-6)


def test_glass_without_refraction_is_clear():
    """Mitsuba takes specular 0 for 0.001 when there is transmission: the background shines through."""
    clear = Material(base_color=(1, 1, 1), transmission=1, specular=0, roughness=0.04)
    lit = [scene(Sphere(center=(0.2, 0, 0.1), radius=0.8, material=clear), background=(0.5, 0.5, 0.5))]
    np.testing.assert_allclose(TRACER.trace(lit, 5, 7, 64, 0).mean, 0.5, rtol=0.05)


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


SHAPES = [box, cylinder, panel, disc, plane]


def unit_hit(shape, origin, direction):
    """Where a ray meets the unit shape from outside: t or None, the normal, and how far in t it is from an edge."""
    if shape in (panel, disc, plane):
        t = -origin[2] / direction[2]
        x, y = (origin + t * direction)[:2]
        edge = {panel: 1 - max(abs(x), abs(y)), disc: 1 - np.hypot(x, y), plane: t}[shape]
        return t if edge > 0 else None, np.array([0, 0, 1]), edge
    # A convex solid is what several pairs of surfaces enclose: in at the last entry, unless after the first exit.
    towards, axes = np.sign(direction), np.eye(3)
    enters = [((-towards[i] - origin[i]) / direction[i], -towards[i] * axes[i]) for i in range(3)]
    leaves = [(towards[i] - origin[i]) / direction[i] for i in range(3)]
    if shape is cylinder:
        squared = direction[:2] @ direction[:2]
        middle = -(origin[:2] @ direction[:2]) / squared
        approach = np.linalg.norm(origin[:2] + middle * direction[:2])
        if approach >= 1:
            return None, None, 1 - approach
        half = np.sqrt((1 - approach**2) / squared)
        enters[:2] = [(middle - half, (origin + (middle - half) * direction) * (1, 1, 0))]
        leaves[:2] = [middle + half]
    *_, (before, _), (t, normal) = sorted(enters, key=lambda entry: entry[0])
    margin = min(leaves) - t
    return (t, normal, min(margin, t - before)) if margin > 0 else (None, None, margin)


@pytest.mark.parametrize("shape", SHAPES)
def test_outline_and_normals_are_those_of_plain_numpy(shape):
    item = shape()
    mitsuba.set_variant("scalar_rgb")
    loaded = mitsuba.load_dict(scene_plugin(scene(item), 8, 128, 6))
    to_unit = rotation_matrix(item.rotation) / np.array(item.scale)
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(700):
        sight = random.normal(size=3)
        sight /= np.linalg.norm(sight)
        ray = mitsuba.Ray3f((random.normal(size=3) * 0.4 - 5 * sight + item.center).tolist(), sight.tolist())
        origin, direction = np.array(ray.o, np.float64), np.array(ray.d, np.float64)  # as float32 has them
        t, normal, edge = unit_hit(shape, (origin - item.center) @ to_unit, direction @ to_unit)
        found = loaded.ray_intersect(ray)
        if abs(edge) > 1e-5:
            assert found.is_valid() == (t is not None)
        if t is not None and edge > 1e-5:
            hits += 1
            assert found.t == pytest.approx(t, rel=1e-5)
            np.testing.assert_allclose(np.array(found.p), origin + t * direction, atol=1e-5 * t)
            outward = to_unit @ normal
            np.testing.assert_allclose(np.array(found.sh_frame.n), outward / np.linalg.norm(outward), atol=1e-5)
    assert hits > 150


@pytest.mark.parametrize("shape", [box, cylinder])
def test_solids_are_closed(shape):
    """No ray leaves unseen, and each sees the inside of the surface."""
    item = shape()
    loaded = mitsuba.load_dict(scene_plugin(scene(item), 8, 8, 6))
    random = np.random.default_rng(1)
    for _ in range(1000):
        start = rotation_matrix(item.rotation) @ (random.uniform(-0.6, 0.6, 3) * item.scale) + item.center
        found = loaded.ray_intersect(mitsuba.Ray3f(start.tolist(), random.normal(size=3).tolist()))
        assert found.is_valid()
        assert found.wi.z < 0


@pytest.mark.parametrize("shape", [box, cylinder])
def test_clear_solids_are_invisible(shape):
    """All light passes through what hardly refracts; a hole would leave radiance divided by η², 3.5 % off."""
    camera = Camera(position=(1, -5, 0.5), look_at=(0.2, -0.1, 0.1), vertical_fov_degrees=17)
    clear = Scene(objects=(shape(CLEAR),), camera=camera, background=(0.5, 0.5, 0.5))
    traced = MitsubaTracer(max_depth=32, threads=1).trace([clear], 13, 11, 256, 0)
    np.testing.assert_allclose(traced.mean, 0.5, rtol=2e-2)
    np.testing.assert_allclose(traced.mean.mean(), 0.5, rtol=1e-3)


def burley(cos_i, cos_o, cos_between, roughness):
    """π times Burley's diffuse lobe of base colour 1 (2015, eq. 4)."""
    at_i, at_o = (1 - cos_i) ** 5, (1 - cos_o) ** 5
    retro = roughness * (1 + cos_between)  # 2 roughness cos² of half the angle between
    return (1 - at_i / 2) * (1 - at_o / 2) + retro * (at_i + at_o + at_i * at_o * (retro - 1))


def burley_albedo(cos_i, roughness, steps=64):
    """What of light from everywhere is reflected towards each of `cos_i`, by the midpoint rule over cos_o and φ."""
    middles = (np.arange(steps) + 0.5) / steps
    cos_i, cos_o, phi = np.asarray(cos_i)[..., None, None], middles[:, None], np.pi * middles
    between = cos_i * cos_o + np.sqrt((1 - cos_i**2) * (1 - cos_o**2)) * np.cos(phi)
    return (2 * cos_o * burley(cos_i, cos_o, between, roughness)).mean((-2, -1))


def seen_from(item, local, width=5, height=3):
    """A camera at `local` in the object's axes, looking at its centre; and each pixel's cosine to its z."""
    rotation = rotation_matrix(item.rotation)
    position = rotation @ local + item.center
    camera = Camera(position=position.tolist(), look_at=item.center, up=rotation[:, 1].tolist(), vertical_fov_degrees=2)
    return camera, -primary_rays(camera, width, height).directions @ rotation[:, 2]


def is_mean(traced, expected, allowed=1e-3):
    """Whether the image's mean is as expected, by Student's t, but for a relative error `allowed`."""
    error = np.sqrt(traced.variance.sum((0, 1, 2))) / traced.mean[..., 0].size
    difference = np.abs(traced.mean.mean((0, 1, 2)) - expected.mean((0, 1)))
    return np.all(difference <= stats.t.ppf(1 - 1e-4, df=15) * error + allowed * expected.mean((0, 1)))


@pytest.mark.parametrize(
    ("item", "local"),
    [
        (panel(), (1, 2, 3)),
        (panel(), (1, 2, -3)),
        (disc(), (1, 2, 3)),
        (disc(), (1, 2, -3)),
        (plane(), (1, 2, 3)),
        (plane(), (0.3, 0.4, 0.05)),
        (plane(normal=(0, 0, -1)), (0.1, 0.2, 11)),
        (plane(normal=(-1, 1, 0.2)), (1, 2, 100)),
        (plane(center=(12_000, 6_000, -4_000), normal=(1, -1, 1.5)), (5, 3, 7)),
        (box(half_extents=(0.7, 0.5, 1e-5)), (1, 2, 3)),
        (box(half_extents=(1000, 1000, 1), center=(0, 0, 0)), (1, 2, 3)),
        (cylinder(half_height=1e-5), (1, 2, -3)),
    ],
    ids=lambda value: getattr(value, "shape", None) or str(value),
)
def test_what_is_flat_and_alone_reflects_its_albedo(item, local):
    """Under a sky of 1, on both sides, at every tilt, however large."""
    camera, cosine = seen_from(item, local)
    lit = Scene(objects=(item,), camera=camera, background=(1, 1, 1))
    traced = TRACER.trace([lit], 5, 3, 1024, 0)
    expected = burley_albedo(np.abs(cosine), GREY.roughness)[..., None] * GREY.base_color
    assert is_mean(traced, expected)


def test_a_plane_is_black_from_below():
    camera, _ = seen_from(plane(), (1, 2, -3))
    assert not TRACER.trace([Scene(objects=(plane(),), camera=camera, background=(1, 1, 1))], 5, 3, 16, 0).mean.any()


def test_a_plane_goes_on_to_the_horizon():
    """A thousandth of a radian below the horizon is ground, at most half of that above it is sky."""
    ground, height = plane(LAMP, normal=(0, 0, 1), center=(3, 5, 0)), 400.0
    for slope, color in [(-1e-3, LAMP.emission), (5e-4, (1.0, 1.0, 1.0))]:
        camera = Camera(position=(-7, 2, height), look_at=(1e4, 2, height + slope * 1e4), vertical_fov_degrees=1)
        image = TRACER.render(Scene(objects=(ground,), camera=camera, background=(1, 1, 1)), 1, 1001, 4, 0)
        np.testing.assert_allclose(image[500, 0], color, rtol=1e-6)


def test_any_point_of_a_plane_is_its_center():
    """However far it is from the camera, the disc lies about the point nearest to the camera."""
    near, far = plane(center=(1, 2, 3), normal=(1, -1, 1)), plane(center=(4e5 + 1, 7e5 + 2, 3e5 + 3), normal=(1, -1, 1))
    discs = [scene_plugin(scene(item), 8, 8, 6)["objects[0]"]["to_world"].matrix for item in (near, far)]
    np.testing.assert_allclose(np.array(discs[0]), np.array(discs[1]), rtol=1e-6)
    nearest = np.array(discs[1])[:3, 3]
    np.testing.assert_allclose(np.cross(nearest - CAMERA.position, near.normal), 0, atol=1e-6)


def test_an_emissive_plane_lights_like_half_a_sky():
    """What faces it reflects its albedo, what lies on it is dark."""
    above = panel(center=(7, -5, 3), rotation=plane().rotation)
    bright = LAMP.model_copy(update={"emission": (1.0, 1.0, 1.0)})
    for local, share in [((1, 2, -3), 1.0), ((1, 2, 3), 0.0)]:
        camera, cosine = seen_from(above, local)
        lit = Scene(objects=(above, plane(bright, center=(7, -5, -99))), camera=camera)
        expected = share * burley_albedo(np.abs(cosine), GREY.roughness)[..., None] * GREY.base_color
        assert is_mean(TRACER.trace([lit], 5, 3, 1024, 0), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_lamps_shine_on_their_front_only(shape):
    """Seen from above as bright as said; from below a solid is too, but the back of what has none is dark."""
    for side in (1, -1):
        camera, _ = seen_from(shape(LAMP), (0.1, 0.2, 3 * side))
        image = TRACER.render(Scene(objects=(shape(LAMP),), camera=camera), 5, 3, 4, 0)
        is_bright = side > 0 or shape in (box, cylinder)
        np.testing.assert_allclose(image, np.broadcast_to(np.array(LAMP.emission) * is_bright, image.shape), atol=1e-6)


def unit_surface(shape, steps=40):
    """Points of the unit shape's surface, their normals and areas."""
    middles = (np.arange(steps) + 0.5) / steps
    u, v = (grid.ravel() for grid in np.meshgrid(middles, middles))
    x, y = 2 * u - 1, 2 * v - 1
    square = np.stack([x, y, 0 * x], 1), np.full(x.shape, 4 / steps**2)
    circle = np.stack([np.sqrt(u) * np.cos(2 * np.pi * v), np.sqrt(u) * np.sin(2 * np.pi * v), 0 * u], 1)
    circle = circle, np.full(u.shape, np.pi / steps**2)
    side = np.stack([np.cos(2 * np.pi * v), np.sin(2 * np.pi * v), x], 1), np.full(u.shape, 4 * np.pi / steps**2)
    z = np.array([0, 0, 1.0])
    turns = [np.roll(np.eye(3), turn, 1) for turn in range(3)]
    parts = {
        panel: [(*square, z)],
        disc: [(*circle, z)],
        box: [(square[0] @ turn + sign * z @ turn, square[1], sign * z @ turn) for turn in turns for sign in (1, -1)],
        cylinder: [(circle[0] + sign * z, circle[1], sign * z) for sign in (1, -1)] + [(*side, side[0] * (1, 1, 0))],
    }[shape]
    points, areas, normals = zip(*[(p, a, np.broadcast_to(n, p.shape)) for p, a, n in parts], strict=True)
    return np.concatenate(points), np.concatenate(normals), np.concatenate(areas)


@pytest.mark.parametrize("rotation", [TURN, FLIPPED], ids=["up", "down"])
@pytest.mark.parametrize("shape", [box, cylinder, panel, disc])
def test_lamps_light_a_floor_by_their_area(shape, rotation):
    """Σ f(ω) L cos θ cos θ' dA / r² over the lamp's surface, which is 0 of a panel that looks up."""
    lamp = shape(LAMP, center=(0.3, -0.2, 1.7), rotation=rotation)
    camera = Camera(position=(1, -5, 3), look_at=(0, 0, 0), vertical_fov_degrees=1)
    traced = TRACER.trace([Scene(objects=(lamp, Plane(center=(0, 0, 0), material=GREY)), camera=camera)], 5, 3, 2048, 0)
    to_eye = np.array(camera.position) / np.linalg.norm(camera.position)
    points, normals, areas = unit_surface(shape)
    turn, scale = rotation_matrix(lamp.rotation), np.array(lamp.scale)
    position = points * scale @ turn.T + lamp.center
    distance = np.linalg.norm(position, axis=1)
    direction = position / distance[:, None]
    # An affine map takes an area's normal n dA to its cofactors times that.
    front = np.maximum(0, -np.sum(direction * (normals * (scale.prod() / scale) @ turn.T), 1)) * areas
    lobe = burley(to_eye[2], direction[:, 2], direction @ to_eye, GREY.roughness) / np.pi
    reflected = np.sum(lobe * direction[:, 2] * front / distance**2)
    assert (reflected > 0.003) == (shape in (box, cylinder) or rotation == FLIPPED)
    expected = reflected * np.array(LAMP.emission) * GREY.base_color
    assert is_mean(traced, np.broadcast_to(expected, (3, 5, 3)), allowed=3e-3)


@pytest.mark.parametrize("shape", [box, cylinder])
def test_glowing_glass_of_several_parts_adds_its_glow_once(shape):
    glass = Material(base_color=(0.8, 0.9, 0.8), transmission=0.7, roughness=0.4)
    camera, _ = seen_from(shape(), (1, 2, 5))
    plain, bright = (
        TRACER.trace([Scene(objects=(shape(one),), camera=camera, background=(0.1, 0.1, 0.1))], 5, 3, 4096, seed)
        for seed, one in enumerate([glass, glass.model_copy(update={"emission": (0.2, 0.4, 0.5)})])
    )
    assert agree(plain._replace(mean=plain.mean + np.float32([0.2, 0.4, 0.5])), bright)
