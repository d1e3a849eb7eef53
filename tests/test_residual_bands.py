"""How noisy residuals are said to be, by what is around them."""

import pytest
import torch
from blended import HEIGHT, WIDTH, paths_of, surfaces_of, without_rare_light

from luxel.core.scene_batch import SceneBatch
from luxel.models.blender import james_stein
from luxel.models.blending import uncertain_fragments
from luxel.models.residual_bands import describe, filtered_residual
from luxel.models.visible_surfaces import visible_surfaces
from luxel.scene import Camera, Plane, Scene


@pytest.mark.parametrize("every", [3, HEIGHT * WIDTH])
def test_of_a_single_noisy_pixel_neighbours_know_that_it_is_one(every):
    """One pixel in three has the noise, or the one in the middle alone."""
    scene = Scene(
        objects=(Plane(center=(0, 0, 0)),), camera=Camera(position=(0, 0, 5), look_at=(0, 0, 0), up=(0, 1, 0))
    )
    variance, surfaces = torch.full((HEIGHT * WIDTH,), 1e-6), surfaces_of(scene)
    variance[38 % every :: every] = 1.0
    mean, batch = torch.ones(HEIGHT * WIDTH, 3), SceneBatch.of([scene])
    paths = paths_of(surfaces, mean, variance, 16)
    levels = filtered_residual(
        batch, surfaces, without_rare_light(mean), paths, uncertain_fragments(batch, surfaces, paths)
    )
    noisy = describe(batch, surfaces.fragments.object_id, mean, levels, paths.spp).noisy[[37, 39, 26]]
    assert ((noisy > 0.2) & (noisy < 0.5) if every == 3 else noisy < 0.1).all()


@pytest.mark.parametrize("inside", [1e-6, 0.1])
def test_a_patch_without_noise_is_as_noisy_as_what_is_around_it(inside):
    """Of 9 × 9 pixels, all of whose paths may have missed a lamp: a tenth of the noise around them is no such patch."""
    side, middle = 32, 16
    scene = Scene(
        objects=(Plane(center=(0, 0, 0)),), camera=Camera(position=(0, 0, 5), look_at=(0, 0, 0), up=(0, 1, 0))
    )
    batch, surfaces, mean = (
        SceneBatch.of([scene]),
        visible_surfaces(SceneBatch.of([scene]), side, side),
        torch.ones(side**2, 3),
    )
    variance = torch.ones(side, side)
    variance[middle - 4 : middle + 5, middle - 4 : middle + 5] = inside
    paths = paths_of(surfaces, mean, variance.flatten(), 16)
    levels = filtered_residual(
        batch, surfaces, without_rare_light(mean), paths, uncertain_fragments(batch, surfaces, paths)
    )
    found = describe(batch, surfaces.fragments.object_id, mean, levels, paths.spp).paths_variance.reshape(side, side)
    around = found[2, 2]
    assert (found[middle, middle] > 0.3 * around) == (inside < 0.03)


def test_what_is_cut_off_heavy_paths_makes_their_neighbourhood_uncertain():
    """A floor that is truly 1, of which one pixel in 100 has found all light: the others say that it is dark."""
    height = width = 40
    scene = Scene(
        objects=(Plane(center=(0, 0, 0)),), camera=Camera(position=(0, 0, 5), look_at=(0, 0, 0), up=(0, 1, 0))
    )
    batch, picture = SceneBatch.of([scene]), torch.ones(1, height, width, 3)
    mean = torch.zeros(height, width)
    mean[5::10, 5::10] = 100.0
    surfaces, flat = visible_surfaces(batch, width, height), picture.reshape(-1, 3)
    paths = paths_of(surfaces, mean.reshape(-1, 1).expand(-1, 3), mean.flatten() ** 2 * 0.25, 4)
    levels = filtered_residual(
        batch, surfaces, without_rare_light(flat), paths, uncertain_fragments(batch, surfaces, paths)
    )
    residual = describe(batch, surfaces.fragments.object_id, flat, levels, paths.spp[surfaces.pixel])
    coarse = (residual.bands[:, -1] ** 2).mean(1)
    assert (coarse > 0.2).all()  # as if the floor were half as bright, or less
    assert (residual.variance[:, -1] > 0.5 * coarse).all()
    assert (james_stein(residual).bands[:, -1] == 0).all()
