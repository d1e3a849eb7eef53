"""What pictures show of each surface, and what a picture says of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from kernels import DEVICES

from luxel.core.fragments import visible_fragments, with_sky
from luxel.core.intersect import MISS
from luxel.core.rays import image_plane_rays
from luxel.core.scene_batch import SceneBatch
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.models.visible_surfaces import unmixed, visible_surfaces, with_radiance_of_sky
from luxel.scene import Box, Camera, Cylinder, GradientSky, Material, Plane, Scene, Sphere, Sun

WIDTH, HEIGHT = 31, 23
CAMERA = Camera(position=(0, -6, 2), look_at=(0, 0, 0))
BALLS = Scene(
    objects=(
        Sphere(center=(-0.6, 0, 0), radius=1.1),
        Sphere(center=(0.9, -0.3, 0.2), radius=0.8, material=Material(emission=(40, 40, 40))),
        Box(center=(0, 1.5, 0.4), half_extents=(1.5, 0.3, 0.5)),
    ),
    camera=CAMERA,
)
ON_GROUND = Scene(
    objects=(Plane(center=(0, 0, -1)), Cylinder(center=(0, 0, 0), radius=0.5, half_height=1)), camera=CAMERA
)


@pytest.mark.parametrize("device", DEVICES)
def test_with_the_sky_every_pixel_is_covered_and_nothing_else_changes(device):
    batch = SceneBatch.of([BALLS, ON_GROUND], device)
    found = visible_fragments(batch, WIDTH, HEIGHT, 32)
    both = with_sky(batch, found)
    pixels = 2 * WIDTH * HEIGHT
    covered = torch.zeros(pixels, device=device).index_add(0, both.pixel_of_all.long(), both.coverage)
    torch.testing.assert_close(covered, torch.ones_like(covered), rtol=0, atol=1e-4)
    number = torch.arange(pixels, device=device).repeat_interleave(both.offsets.diff().long())
    assert (number == both.pixel_of_all).all()
    things = both.object_id != MISS
    for name in ("scene", "pixel", "object_id", "object_number", "key", "coverage", "point"):
        assert (getattr(both, name)[things] == getattr(found, name)).all()
    sky = ~things
    assert (both.key[sky] == MISS).all()
    last = torch.zeros_like(sky)
    last[both.offsets[1:].long() - 1] = True
    assert (last | things).all()
    assert sky.sum() > pixels / 4


def test_the_skys_point_is_the_middle_of_its_pixel():
    batch = SceneBatch.of([BALLS])
    fragments = with_sky(batch, visible_fragments(batch, WIDTH, HEIGHT, 32))
    corner = (fragments.pixel == WIDTH - 1).nonzero()[0, 0]
    ray = image_plane_rays(batch, fragments.point[corner][None], fragments.scene[corner][None])
    half = np.tan(np.radians(CAMERA.vertical_fov_degrees / 2))
    x, y = (WIDTH - 1) / HEIGHT * half, (HEIGHT - 1) / HEIGHT * half
    local = batch.camera_rotation[0].T @ ray.direction[0]
    torch.testing.assert_close(local, torch.tensor([x, y, -1.0], dtype=torch.float32))


@pytest.mark.parametrize("sky", ["constant", "gradient and sun"])
def test_a_picture_is_its_fragments_by_what_they_cover(sky):
    """What the network knows of objects, and of the sky."""
    fields = {"background": (0.3, 0.2, 0.1)}
    if sky != "constant":
        fields = {
            "sky": GradientSky(zenith=(0.1, 0.2, 0.9), horizon=(1, 1, 1)),
            "sun": Sun(direction=(0.1, 1, 0.1), radiance=(9, 8, 7)),
        }
    batch = SceneBatch.of([Scene(objects=scene.objects, camera=CAMERA, **fields) for scene in (BALLS, ON_GROUND)])
    surfaces = visible_surfaces(batch, WIDTH, HEIGHT)
    with torch.no_grad():
        picture, of_objects = RayModel(RayModelConfig()).pictures(batch, WIDTH, HEIGHT)
    given = torch.arange(1.0, len(of_objects.radiance) + 1)
    of_objects = of_objects._replace(least_path_variance=given)
    radiance, variance = with_radiance_of_sky(batch, surfaces, of_objects)
    together = torch.zeros(2 * WIDTH * HEIGHT, 3)
    together.index_add_(0, surfaces.pixel, surfaces.fragments.coverage[:, None] * radiance)
    torch.testing.assert_close(together, picture.reshape(-1, 3), rtol=1e-3, atol=1e-5)
    assert (radiance[surfaces.is_lamp] > 40).all()
    is_object = surfaces.fragments.object_id != MISS
    assert torch.equal(variance[is_object], given)
    assert not variance[~is_object].any()


@pytest.mark.parametrize("scene", [BALLS, ON_GROUND])
def test_a_picture_of_plain_surfaces_is_told_apart(scene):
    """Each face has one radiance, a lamp a hundred times another's: all but specks are known to a thousandth."""
    batch = SceneBatch.of([scene])
    surfaces = visible_surfaces(batch, WIDTH, HEIGHT)
    seen = surfaces.fragments
    radiance = torch.where(surfaces.is_lamp, 40.0, 0.1 + 0.07 * (seen.key + 1).float())[:, None].expand(-1, 3)
    picture = torch.zeros(WIDTH * HEIGHT, 3).index_add(0, surfaces.pixel, seen.coverage[:, None] * radiance)
    found = unmixed(batch, surfaces, picture)
    shared = seen.offsets.diff()[surfaces.pixel] > 1
    assert shared.sum() > 80
    relative = ((found - radiance).abs() / radiance).amax(1)
    assert relative[~shared].max() < 1e-6
    assert relative[shared].median() < 1e-3
    assert (relative[shared] < 0.05).float().mean() > 0.9


def test_a_speck_of_a_lamp_is_as_bright_as_it_emits_where_the_picture_is_off():
    """No pixel shows it alone, and it covers next to nothing: all that is left of a pixel would be 500 times that."""
    speck = Sphere(center=(0.05, 0, 0), radius=0.03, material=Material(emission=(2, 2, 2)))
    batch = SceneBatch.of([Scene(objects=(Plane(center=(0, 0, -1)), speck), camera=CAMERA)])
    surfaces = visible_surfaces(batch, WIDTH, HEIGHT)
    coverage = torch.where(surfaces.is_lamp, 1e-4, 1.0)
    surfaces = surfaces._replace(fragments=replace(surfaces.fragments, coverage=coverage))
    assert surfaces.is_lamp.any()
    picture = torch.full((WIDTH * HEIGHT, 3), 0.1)
    picture[surfaces.pixel[surfaces.is_lamp]] = 0.2
    found = unmixed(batch, surfaces, picture)[surfaces.is_lamp]
    torch.testing.assert_close(found, torch.full_like(found, 2), rtol=0.2, atol=0)


def test_what_pixels_show_stays():
    """Of a picture of noise, too, whose fragments are anything."""
    batch = SceneBatch.of([BALLS, ON_GROUND])
    surfaces = visible_surfaces(batch, WIDTH, HEIGHT)
    picture = torch.rand(2 * WIDTH * HEIGHT, 3, generator=torch.Generator().manual_seed(0))
    found = unmixed(batch, surfaces, picture)
    together = torch.zeros_like(picture).index_add(0, surfaces.pixel, surfaces.fragments.coverage[:, None] * found)
    exact = (found.amin(1) > 0)[surfaces.fragments.offsets[:-1].long()]
    assert (found >= 0).all()
    assert ((together - picture).abs().amax(1)[exact] < 1e-4).float().mean() > 0.97
    assert (unmixed(batch, surfaces, torch.zeros_like(picture)) == 0).all()
