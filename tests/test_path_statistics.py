"""What paths say of pixels and fragments, by kernels as by torch's operations on all of them."""

import pytest
import torch
import warp as wp
from kernels import DEVICES

from luxel.core.fragments import FragmentPaths
from luxel.core.launch import launch, to_warp
from luxel.core.scene_batch import SceneBatch
from luxel.models.path_statistics import (
    BRIGHTEST,
    FEW_PATHS,
    LAMP_LATTICE,
    LAMP_SHARE_ERROR,
    LATTICE,
    MIN_COUNT,
    STRATA,
    TINY,
    measure_pixels,
    measure_residuals,
)
from luxel.models.traced_paths import Paths, path_table, shares_of_pixels
from luxel.models.visible_surfaces import Surfaces, visible_surfaces
from luxel.scene import Camera, Material, Plane, Scene, Sphere

HEIGHT, WIDTH = 23, 29
SCENE = Scene(
    objects=(
        Plane(center=(0, 0, 0)),
        *(Sphere(center=(x, 0.3, 0.2), radius=0.2) for x in (-1.0, 0.0, 1.0)),
        *(Sphere(center=(x, -0.4, 0.2), radius=0.05, material=Material(emission=(3, 2, 1))) for x in (-1.0, 1.0)),
    ),
    camera=Camera(position=(0, -2, 2), look_at=(0, 0, 0)),
)


def example(device: str) -> tuple[Surfaces, Paths]:
    """Of pixels with one path, few and many, some of which have met none of their fragments, or each another one."""
    rng = torch.Generator().manual_seed(3)
    surfaces = visible_surfaces(SceneBatch.of([SCENE], device), WIDTH, HEIGHT)
    fragments, pixels = len(surfaces.fragments.key), surfaces.pixels
    counts = torch.randint(0, 4, (fragments,), generator=rng).float().to(device)
    more = torch.randint(0, 30, (pixels,), generator=rng).float().to(device) * (torch.arange(pixels) % 3 == 0).to(
        device
    )
    counted = torch.zeros(pixels, device=device).index_add(0, surfaces.pixel, counts)
    assert {int(number) for number in surfaces.fragments.offsets.diff().unique()} >= {1, 2}
    assert surfaces.is_lamp.any()
    assert (counted == 0).any()

    def radiance(*size: int) -> torch.Tensor:
        return torch.rand(*size, generator=rng).to(device)

    found = FragmentPaths(radiance(fragments, 3) * (counts > 0)[:, None], counts, radiance(pixels))
    return surfaces, Paths(radiance(pixels, 3), radiance(pixels), (counted + more.to(device)).clamp(min=1), found)


def summed(surfaces: Surfaces, values: torch.Tensor) -> torch.Tensor:
    """Over the fragments of each pixel."""
    return values.new_zeros(surfaces.pixels, *values.shape[1:]).index_add(0, surfaces.pixel, values)


@pytest.mark.parametrize("device", DEVICES)
def test_shares_of_pixels_are_those_of_the_formula(device):
    surfaces, paths = example(device)
    found, pixel, seen, spp = paths.of_fragments, surfaces.pixel, surfaces.fragments, paths.spp
    of_lamps = summed(surfaces, surfaces.is_lamp * seen.coverage).clamp(0, 1)
    spread = of_lamps * (1 - of_lamps)
    lattice = torch.where(of_lamps > 0, (spread / LAMP_SHARE_ERROR**2).clamp(min=LAMP_LATTICE), LATTICE)
    of_edges = spp.clamp(max=STRATA).sqrt()
    of_path = torch.where(of_lamps > 0, (4 * spread * of_edges).clamp(min=1), of_edges)
    total = lattice + spp * of_path
    counted, mean = summed(surfaces, found.counts), summed(surfaces, found.counts[:, None] * found.mean) / spp[:, None]
    believed = torch.where(counted < spp, spp * of_path / total, 0.0)
    coverage = (lattice[pixel] * seen.coverage + of_path[pixel] * found.counts) / total[pixel]
    shares = shares_of_pixels(surfaces, paths)
    torch.testing.assert_close(shares.coverage, coverage)
    torch.testing.assert_close(shares.unknown, believed * (1 - counted / spp))
    torch.testing.assert_close(shares.from_unknown, believed[:, None] * (paths.mean - mean).clamp(min=0))
    torch.testing.assert_close(shares.certainty, total)


@pytest.mark.parametrize("device", DEVICES)
def test_residuals_and_their_variances_are_those_of_the_formula(device):
    surfaces, paths = example(device)
    found, pixel, seen, spp = paths.of_fragments, surfaces.pixel, surfaces.fragments, paths.spp
    rng, fragments = torch.Generator().manual_seed(5), len(seen.key)
    picture, least, around = (
        torch.rand(*size, generator=rng).to(device) for size in ((fragments, 3), (fragments,), (surfaces.pixels,))
    )
    is_uncertain, around = (torch.arange(fragments) % 5 > 0).to(device), 0.1 * around
    counted, means = summed(surfaces, found.counts), summed(surfaces, (found.counts > 0).float())
    spread = torch.where(counted > means, found.scatter / (counted - means).clamp(min=1), paths.variance * spp)
    spread = torch.where(spp > 1, spread, 0.0)
    brightness = summed(surfaces, torch.maximum(picture.mean(1), found.mean.mean(1)) * seen.coverage)
    count = found.counts.clamp(min=MIN_COUNT)
    raw = torch.where(found.counts[:, None] > 0, found.mean - picture, 0.0)
    variance = (raw**2).mean(1) / (count * (1 + count / FEW_PATHS)) + torch.maximum(spread[pixel], least) / count
    cut = raw * (BRIGHTEST * around[pixel] / raw.abs().amax(1).clamp(min=TINY)).clamp(max=1)[:, None]
    weights = torch.where(is_uncertain, count / spp[pixel], 0.0)

    table, of_picture = path_table(surfaces, paths), to_warp(picture, wp.vec3)
    of_pixels = [torch.full_like(around, float("nan")) for _ in range(2)]
    launch(measure_pixels, surfaces.pixels, [table, seen.coverage, of_picture], of_pixels, picture.device, sliced=True)
    for values, right in zip(of_pixels, (spread, brightness), strict=True):
        torch.testing.assert_close(values, right)
    shared = torch.full_like(picture, float("nan"))
    of_fragments = [torch.full_like(least, float("nan")) for _ in range(3)]
    inputs = [table, seen.pixel_of_all, of_picture, least, is_uncertain, of_pixels[0], around]
    outputs = [to_warp(shared, wp.vec3), *of_fragments]
    launch(measure_residuals, fragments, inputs, outputs, picture.device, sliced=True)
    expected = (cut, variance, (raw - cut).mean(1), weights)
    assert (cut != raw).any()
    assert (cut == raw).all(1).any()
    for values, right in zip((shared, *of_fragments), expected, strict=True):
        torch.testing.assert_close(values, right, rtol=1e-5, atol=1e-6)
