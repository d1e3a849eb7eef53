"""Fits on matte surfaces: exact where radiance is linear in the place, edges too; less noise; the rest is left out."""

import math

import numpy as np
import pytest
import torch

from luxel.core.scene_batch import SceneBatch
from luxel.image.denoise import denoise
from luxel.scene import Box, Camera, Material, Plane, Scene, Sphere, from_points
from luxel.trace.first_hits import Features
from luxel.trace.path import PathTracer
from luxel.trace.surface_fit import DISC_RADII, disc_offsets, flat_and_matte, surface_fit

WIDTH, HEIGHT = 71, 47
CAMERA = Camera(position=(0.0, -6.0, 0.0), look_at=(0.0, 0.0, 0.0), vertical_fov_degrees=30)
MATTE = Material(base_color=(0.5, 0.5, 0.5), roughness=0.7)


def balls(material: Material = MATTE, unit: float = 1.0) -> Scene:
    """Two that overlap in the picture, before a sky; all lengths in this unit."""
    left = Sphere(center=(-0.5 * unit, 0.0, 0.1 * unit), radius=0.8 * unit, material=material)
    right = Sphere(center=(0.6 * unit, 0.7 * unit, 0.0), radius=0.9 * unit, material=MATTE)
    camera = Camera(position=(0.0, -6.0 * unit, 0.0), look_at=(0.0, 0.0, 0.0), vertical_fov_degrees=30)
    return Scene(objects=(left, right), camera=camera)


def batch_and_features(scene: Scene) -> tuple[SceneBatch, Features]:
    batch = SceneBatch.of([scene])
    return batch, PathTracer().features(batch, WIDTH, HEIGHT)


def composed(features: Features, shown: torch.Tensor) -> torch.Tensor:
    """Fragments' radiance, [fragments, 3], blended by coverage over a sky of 0.25."""
    fragments = features.fragments
    picture = torch.full((HEIGHT * WIDTH, 3), 0.25)
    picture.index_add_(0, fragments.pixel.long(), (shown - 0.25) * fragments.coverage[:, None])
    return picture.reshape(HEIGHT, WIDTH, 3)


def test_discs_have_all_pixels_within_their_radii():
    offsets, ends = disc_offsets(DISC_RADII)
    for radius, end in zip(DISC_RADII, ends.tolist(), strict=True):
        expected = sum(math.hypot(x, y) < radius for x in range(-9, 10) for y in range(-9, 10))
        assert end == expected
        assert (offsets[:end].double().norm(dim=1) < radius).all()
    assert offsets[0].tolist() == [0, 0]


def test_a_disc_of_a_step_has_the_pixels_of_its_grid():
    offsets, ends = disc_offsets((7.5,), 3)
    expected = {(x, y) for x in range(-6, 7, 3) for y in range(-6, 7, 3) if math.hypot(x, y) < 7.5}
    assert {(x, y) for x, y in offsets.tolist()} == expected
    assert ends.tolist() == [len(expected)]


def test_what_is_linear_in_the_place_is_found_exactly_on_edges_too():
    """Though the noise of shared pixels, here a wrong colour, is not looked at."""
    batch, features = batch_and_features(balls())
    fragments = features.fragments
    slopes = torch.tensor([[0.3, -0.1, 0.2], [-0.2, 0.4, 0.1], [0.1, 0.2, -0.3]])
    own = torch.tensor([[0.9, 1.0, 1.1], [1.6, 1.5, 1.4]])[fragments.object_number.long()]
    shown = own + features.facing @ slopes
    expected, noisy = composed(features, shown), composed(features, shown)
    is_shared = torch.zeros(HEIGHT * WIDTH, dtype=torch.bool)
    is_shared[fragments.pixel[fragments.coverage < 1].long()] = True
    is_shared = is_shared.reshape(HEIGHT, WIDTH)
    noisy[is_shared] = 7.0
    fit = surface_fit(batch, features, noisy)
    shows_sky = ~is_shared & (features.object_number[0] < 0)
    np.testing.assert_array_equal(fit.is_known, ~shows_sky)
    np.testing.assert_array_equal(fit.is_whole, ~(is_shared | shows_sky))
    error = (fit.radiance - expected)[fit.is_known].abs()
    assert is_shared.sum() > 100
    assert error.mean() < 0.003
    assert error.max() < 0.08  # at the very limb, of a third of a pixel's depth beyond what others show


def test_lengths_may_be_in_any_unit():
    unit = 2.0**-17
    batch, features = batch_and_features(balls(unit=unit))
    shown = 1.0 + features.facing @ torch.tensor([[0.3, -0.1, 0.2], [-0.2, 0.4, 0.1], [0.1, 0.2, -0.3]])
    expected = composed(features, shown)
    fit = surface_fit(batch, features, expected)
    assert (fit.radiance - expected)[fit.is_known].abs().max() < 0.01


def test_flat_are_matte_objects_of_flat_faces():
    objects = (
        Plane(center=(0, 3, 0), normal=(0, -1, 0), material=MATTE),
        Sphere(center=(0, 0, 0), radius=0.5, material=MATTE),
        Box(center=(2, 0, 0), half_extents=(0.5, 0.5, 0.5), material=MATTE),
        Box(center=(-2, 0, 0), half_extents=(0.5, 0.5, 0.5), material=Material(roughness=0.1)),
    )
    batch = SceneBatch.of([Scene(objects=objects, camera=CAMERA)])
    assert flat_and_matte(batch).tolist() == [True, False, True, False]


def test_noise_on_a_plane_is_less_than_its_disc_leaves():
    """Of the widest disc of single pixels 1 / pixels of the variance would be left: 0.4 of that is."""
    scene = Scene(objects=(Plane(center=(0, 0.5, 0), normal=(0, -1, 0), material=MATTE),), camera=CAMERA)
    batch, features = batch_and_features(scene)
    noise = 0.1 * torch.randn(HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(1))
    fit = surface_fit(batch, features, 0.8 + noise)
    assert fit.is_known.all()
    assert fit.is_whole.all()
    off = (fit.radiance - 0.8)[9:-9, 9:-9]
    pixels = int(disc_offsets(DISC_RADII)[1][-1])
    assert float(off.square().mean()) < 0.6 * 0.1**2 / pixels
    assert float(off.mean()) == pytest.approx(0.0, abs=0.003)


def test_a_step_is_kept_and_faces_are_apart():
    scene = Scene(
        objects=(Box(center=(0, 0, 0), half_extents=(0.8, 0.8, 0.8), rotation=(0.9, 0, 0, 0.43589), material=MATTE),),
        camera=CAMERA,
    )
    batch, features = batch_and_features(scene)
    shown = torch.where(features.facing[:, :1] > 0, 0.2, 1.0).expand(-1, 3)
    upper = features.position[:, 2:] > 0.1  # a shadow's sharp edge
    shown = torch.where(upper, shown, 0.5 * shown).contiguous()
    expected = composed(features, shown)
    noise = 0.01 * torch.randn(expected.shape, generator=torch.Generator().manual_seed(2))
    fit = surface_fit(batch, features, expected + noise)
    off = (fit.radiance - expected).abs()[fit.is_known]
    assert (off > 0.1).double().mean() < 0.1
    assert off.median() < 0.01


def test_what_is_glossy_clear_or_without_a_pixel_of_its_own_is_left_out():
    for material in (Material(roughness=0.1), Material(transmission=1.0, roughness=0.6)):
        batch, features = batch_and_features(balls(material))
        known = surface_fit(batch, features, torch.ones(HEIGHT, WIDTH, 3)).is_known
        assert not known[features.coverage(0, 0) > 0].any()
        assert known[features.object_number[0] == 1].double().mean() > 0.9
    specks = Scene(objects=(Sphere(center=(0, 0, 0), radius=0.02, material=MATTE),), camera=CAMERA)
    batch, features = batch_and_features(specks)
    assert not surface_fit(batch, features, torch.ones(HEIGHT, WIDTH, 3)).is_known.any()


def test_of_a_cloud_the_error_is_less_than_the_denoisers():
    """By paths as a figure has them: a fifth less in the mean square, for half of both."""
    points = np.random.default_rng(3).normal(size=(61, 3))
    scene = from_points(points, aspect=WIDTH / HEIGHT)
    batch, features = batch_and_features(scene)
    tracer = PathTracer()
    truth = tracer.sample(batch, WIDTH, HEIGHT, 128, 9, branches=4).mean.reshape(HEIGHT, WIDTH, 3)
    paths = tracer.sample(batch, WIDTH, HEIGHT, 8, 1, branches=4).mean.reshape(HEIGHT, WIDTH, 3)
    clean = denoise(paths, features.albedo[0], features.normal[0])
    fit = surface_fit(batch, features, paths)
    half = torch.where(fit.is_known[..., None], 0.5 * (clean + fit.radiance), clean)
    of_half, of_denoiser = (
        float((image - truth).clamp(-1, 1)[fit.is_known].square().mean()) for image in (half, clean)
    )
    assert fit.is_known.double().mean() > 0.5
    assert of_half < 0.8 * of_denoiser
