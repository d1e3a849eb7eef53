"""How noisy residuals are said to be, by what is around them."""

import pytest
import torch
from blended import HEIGHT, WIDTH, paths_of, surfaces_of, without_rare_light
from kernels import DEVICES

from luxel.core.intersect import MISS
from luxel.core.scene_batch import SceneBatch
from luxel.models.blender import james_stein
from luxel.models.blending import uncertain_fragments
from luxel.models.path_statistics import TINY
from luxel.models.residual_bands import Residual, describe, filtered_residual
from luxel.models.residual_features import (
    MAX_LOGARITHM,
    MOTTLE_LEVELS,
    NOISE_LEVEL,
    PATCH_LEVEL,
    QUIET,
    SCALE_LEVEL,
    WIDE_LEVEL,
)
from luxel.models.residual_filter import DEVIATION, PATHS_VARIANCE, PRODUCTS, REMOVED, SQUARE, VARIANCE, Levels
from luxel.models.visible_surfaces import visible_surfaces
from luxel.scene import Camera, Material, Plane, Scene, Sphere


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


def log_ratio(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Of what a feature compares: the natural logarithm over 4, from −3 to 3."""
    return ((a.double() + TINY) / (b.double() + TINY)).log().clamp(-MAX_LOGARITHM, MAX_LOGARITHM) / 4


def residual_by_formula(
    scenes: SceneBatch, object_id: torch.Tensor, radiance: torch.Tensor, levels: Levels, spp: torch.Tensor
) -> Residual:
    """What `describe` computes, field after field, as torch's operations on all fragments."""
    moments, details = levels.moments.permute(0, 2, 1), levels.details.permute(0, 2, 1)
    fine = moments[1:, :3]
    bands = torch.cat([fine[:-1] - fine[1:], fine[-1:]])
    of_levels = moments[1:, VARIANCE] + moments[1:, REMOVED] ** 2
    variance = torch.cat([torch.maximum(of_levels[:-1], of_levels[1:]), of_levels[-1:]])
    brightness = radiance.mean(1)
    scale = brightness + (brightness + moments[SCALE_LEVEL, :3].mean(0)).clamp(min=0)
    squared, noise = scale**2, moments[:, PATHS_VARIANCE]
    features = [
        log_ratio((bands**2).mean(1), variance),
        log_ratio(variance, squared),
        log_ratio(moments[:, SQUARE], noise),
        log_ratio(noise, squared),
        log_ratio(brightness, scale)[None],
        levels.share,
        *(log_ratio((bands[level] ** 2).mean(0), squared)[None] for level in (-1, 0)),
    ]
    for level in MOTTLE_LEVELS:
        products, squares = moments[level, PRODUCTS::2], moments[level, PRODUCTS + 1 :: 2]
        along = products / squares.sqrt().clamp(min=TINY)
        features += [
            (-products / squares.clamp(min=TINY)).clamp(-1, 2),
            log_ratio(along**2, moments[level, VARIANCE]),
            log_ratio(squares, squared),
            log_ratio((details**2).mean(1), squares),
        ]
    hit = (object_id != MISS).float()
    attributes = [scenes.roughness, scenes.metallic, scenes.transmission, scenes.is_emissive.float()]
    features += [spp.log()[None] / 4, hit[None], hit * torch.stack(attributes)[:, object_id.clamp(min=0).long()]]
    products, squares = moments[WIDE_LEVEL, PRODUCTS::2], moments[WIDE_LEVEL, PRODUCTS + 1 :: 2].clamp(min=TINY)
    near = torch.maximum(moments[0, PATHS_VARIANCE], moments[NOISE_LEVEL, PATHS_VARIANCE])
    around = moments[PATCH_LEVEL, PATHS_VARIANCE]
    return Residual(
        bands=bands.permute(2, 0, 1),
        variance=variance.T,
        scale=scale,
        paths_variance=torch.where(near < QUIET * around, around, near),
        noisy=moments[NOISE_LEVEL, DEVIATION] ** 2 / moments[NOISE_LEVEL, PATHS_VARIANCE].clamp(min=TINY),
        details=details.permute(2, 0, 1),
        mottle=(-products / squares).T,
        mottle_variance=(moments[WIDE_LEVEL, VARIANCE] / squares).T,
        features=torch.cat(features).T.float(),
    )


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])  # of radiance
def test_fragments_are_described_as_by_the_formula(unit, device):
    """Of moments of all sizes, among them none at all, and with details that the residual has or not."""
    rng, count = torch.Generator().manual_seed(31), 1009
    scene = Scene(
        objects=(
            Sphere(center=(0, 0, 0), radius=1.0, material=Material(roughness=0.3, metallic=0.7, transmission=0.2)),
            Sphere(center=(2, 0, 0), radius=1.0, material=Material(emission=(1, 2, 3))),
        ),
        camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)),
    )
    batch = SceneBatch.of([scene], device)
    size = 10.0 ** (8 * torch.rand(7, count, 12, generator=rng) - 6) * unit**2
    signed = torch.randn(7, count, 12, generator=rng)
    moments = torch.where((torch.arange(12) < 3) | (torch.arange(12) == PRODUCTS), signed * size, size)
    moments[..., REMOVED] = moments[..., REMOVED].sqrt() * 1e-3
    moments[..., DEVIATION] = moments[..., PATHS_VARIANCE].sqrt() * torch.rand(7, count, generator=rng)
    moments[:, ::5] = 0
    moments[..., :3] /= unit
    levels = Levels(
        moments.to(device),
        torch.rand(6, count, generator=rng).to(device),
        (unit * torch.randn(2, count, 3, generator=rng)).to(device),
    )
    object_id = torch.randint(-1, 2, (count,), generator=rng, dtype=torch.int32).to(device)
    radiance = (unit * torch.rand(count, 3, generator=rng)).to(device)
    spp = torch.randint(1, 300, (count,), generator=rng).float().to(device)
    expected = residual_by_formula(batch, object_id, radiance, levels, spp)
    rows = torch.randperm(count, generator=rng)[:101].to(device)
    for chosen in (None, rows):
        found = describe(batch, object_id, radiance, levels, spp, chosen)
        for name, values in found._asdict().items():
            right = getattr(expected, name)
            right = right if chosen is None else right[chosen]
            atol = 3e-6 if name == "features" else 1e-6 * float(right.abs().median())
            torch.testing.assert_close(
                values, right, rtol=1e-5, atol=atol, msg=lambda text, name=name: f"{name}: {text}"
            )
