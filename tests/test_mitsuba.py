"""Mitsuba as a tracer: geometry against analytic values, statistics against theory.

Every statistical test has fixed seeds and a threshold for all of its values together (Šidák).
"""

import drjit
import mitsuba
import numpy as np
import pytest
from scipy import stats

from luxel.scene import Camera, Ellipsoid, Material, Scene, Sphere
from luxel.scene.camera import primary_rays, rotation_matrix
from luxel.trace import MitsubaTracer, TraceError
from luxel.trace.mitsuba import scene_plugin

CAMERA = Camera(position=(1, -5, 0.5), look_at=(0.2, 0, 0.1), vertical_fov_degrees=35)
LAMP = Material(base_color=(0, 0, 0), specular=0, emission=(2, 3, 5))
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
