"""The filter of residuals: what it takes together, by hand, and where it stops."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
import warp as wp
from kernels import DEVICES, run, unit_vectors

from luxel.core.intersect import MISS
from luxel.core.scene_batch import SceneBatch
from luxel.models.residual_filter import (
    PATHS_VARIANCE,
    PRODUCTS,
    SQUARE,
    STEPS,
    VARIANCE,
    Guide,
    Levels,
    likeness,
    residual_levels,
)
from luxel.models.visible_surfaces import SAME_PLANE, visible_surfaces
from luxel.scene import Camera, Panel, Plane, Scene, Sphere

HEIGHT, WIDTH = 37, 41
ABOVE = Camera(position=(0, 0, 5), look_at=(0, 0, 0), up=(0, 1, 0))
BALL = Scene(objects=(Sphere(center=(0, 0, 0), radius=1.0),), camera=ABOVE)
FLAT = Scene(objects=(Plane(center=(0, 0, 0)),), camera=ABOVE)


def levels(
    scene: Scene,
    residual: torch.Tensor,
    picture: torch.Tensor | None = None,
    device: str = "cpu",
    variance: float = 0.5,
) -> Levels:
    """Of what the first fragment of each pixel shows: all fragments have their pixel's residual and picture."""
    return levels_of([scene], residual, torch.ones_like(residual) if picture is None else picture, device, variance)


def levels_of(
    scenes: list[Scene], residual: torch.Tensor, picture: torch.Tensor, device: str, variance: float
) -> Levels:
    batch = SceneBatch.of(scenes, device)
    surfaces = visible_surfaces(batch, WIDTH, HEIGHT)
    noise = torch.full((len(surfaces.pixel),), variance, device=device)
    of_fragments = [values.to(device)[surfaces.pixel] for values in (picture, residual)]
    found = residual_levels(batch, surfaces, *of_fragments, noise, 0 * noise, torch.ones_like(noise))
    first = surfaces.fragments.offsets[:-1].long()
    return Levels(*([values[first] for values in each] for each in found))


def middle(values: torch.Tensor) -> torch.Tensor:
    return values.unflatten(0, (HEIGHT, WIDTH))[HEIGHT // 2, WIDTH // 2].cpu()


@pytest.mark.parametrize("device", DEVICES)
def test_the_first_level_by_hand(device):
    """Weights 1, 1/2 and 1/4 of a pixel, its four and its diagonal neighbours: Σw = 4, Σw² = 2.25."""
    residual = torch.zeros(HEIGHT, WIDTH, 3)
    residual[HEIGHT // 2, WIDTH // 2] = torch.tensor([8.0, 4.0, -4.0])
    residual[HEIGHT // 2, WIDTH // 2 + 1] = torch.tensor([0.0, 4.0, 4.0])
    found = levels(FLAT, residual.flatten(0, 1), device=device)
    first = middle(found.moments[1])
    torch.testing.assert_close(first[:3], torch.tensor([2.0, 1.5, -0.5]), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(first[VARIANCE], 0.5 * 2.25 / 16, rtol=1e-4)
    np.testing.assert_allclose(first[PATHS_VARIANCE], 0.5, rtol=1e-4)
    np.testing.assert_allclose(first[SQUARE], (96 + 0.5 * 32) / 3 / 4, rtol=1e-4)
    np.testing.assert_allclose(middle(found.share[0]), 1, rtol=1e-4)


def test_what_is_the_same_everywhere_stays_and_its_variance_falls_at_every_level():
    found = levels(FLAT, torch.full((HEIGHT * WIDTH, 3), 0.7))
    assert len(found.moments) == len(STEPS) + 1
    variances = [float(middle(values)[VARIANCE]) for values in found.moments]
    for values in found.moments:
        torch.testing.assert_close(values[:, :3], torch.full((HEIGHT * WIDTH, 3), 0.7), rtol=1e-5, atol=1e-5)
    within = sum(step < HEIGHT // 2 for step in STEPS)
    for before, after in pairwise(variances[: within + 1]):
        assert after < 0.3 * before


@pytest.mark.parametrize("edge", ["object", "picture"])
def test_edges_stop_it(edge):
    """The residual is 1 on the left half and 0 on the right: with the edge known it stays so, without it does not."""
    left, picture = torch.zeros(HEIGHT, WIDTH, 3), torch.ones(HEIGHT, WIDTH, 3)
    left[:, : WIDTH // 2] = 1
    pixel = 2 * 5 * math.tan(math.radians(ABOVE.vertical_fov_degrees / 2)) / HEIGHT  # scene units
    halves = tuple(Panel(center=(50 * side - pixel / 2, 0, 0), half_extents=(50, 50)) for side in (-1, 1))
    if edge == "picture":
        picture[:, : WIDTH // 2] = 3
    scene = Scene(objects=halves, camera=ABOVE) if edge == "object" else FLAT
    residual = left.flatten(0, 1)
    known = levels(scene, residual, picture.flatten(0, 1)).moments[3][:, 0].unflatten(0, (HEIGHT, WIDTH))
    unknown = levels(FLAT, residual).moments[3][:, 0].unflatten(0, (HEIGHT, WIDTH))
    assert (known - left[..., 0]).abs().max() < 0.02
    assert (unknown - left[..., 0]).abs().max() > 0.3


def test_mottle_of_the_picture_is_all_in_the_residual():
    """A picture with noise of its own, and a residual that is but that noise: products are minus the squares."""
    mottle = 0.1 * torch.rand(HEIGHT * WIDTH, 1, generator=torch.Generator().manual_seed(0)).expand(-1, 3)
    found = levels(FLAT, -mottle, 1 + mottle)
    wide = middle(found.moments[4])
    np.testing.assert_allclose(wide[PRODUCTS] / wide[PRODUCTS + 1], -1, atol=0.3)
    torch.testing.assert_close(
        middle(found.details[0]), middle(mottle) - middle(smoothed(mottle)), rtol=0.02, atol=2e-4
    )
    still = levels(FLAT, torch.full((HEIGHT * WIDTH, 3), 0.3), 1 + mottle)
    wide = middle(still.moments[4])
    assert abs(wide[PRODUCTS] / wide[PRODUCTS + 1]) < 0.6


def smoothed(values: torch.Tensor) -> torch.Tensor:
    """By weights 1/4, 1/8 and 1/16, as the filter has them where all is alike."""
    kernel = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]) / 16
    image = values.T.reshape(3, 1, HEIGHT, WIDTH)
    return torch.nn.functional.conv2d(image, kernel[None, None], padding=1).reshape(3, -1).T


def test_pictures_of_a_batch_do_not_mix():
    residual = torch.rand(2, HEIGHT * WIDTH, 3, generator=torch.Generator().manual_seed(0))
    both = levels_of([FLAT, BALL], residual.flatten(0, 1), torch.ones(2 * HEIGHT * WIDTH, 3), "cpu", 1.0)
    for number, scene in enumerate((FLAT, BALL)):
        one = levels(scene, residual[number], variance=1.0)
        for together, alone in zip(both.moments, one.moments, strict=True):
            torch.testing.assert_close(together.unflatten(0, (2, -1))[number], alone, rtol=0, atol=0)


@pytest.mark.parametrize("of_sky", [True, False])
def test_a_surface_takes_nothing_from_others_not_even_in_the_pixels_that_they_share(of_sky):
    """A residual of 1 on the sky, or on the ball alone stays there, and is 1 all over."""
    batch = SceneBatch.of([BALL])
    surfaces = visible_surfaces(batch, WIDTH, HEIGHT)
    chosen = (surfaces.fragments.object_id == MISS) == of_sky
    assert (surfaces.fragments.offsets.diff() > 1).sum() > 20
    ones = torch.ones(len(chosen))
    residual = chosen.float()[:, None].expand(-1, 3)
    found = residual_levels(batch, surfaces, torch.ones_like(residual), residual, ones, 0 * ones, ones)
    for values in found.moments:
        assert (values[~chosen, :3] == 0).all()
        torch.testing.assert_close(values[chosen, :3], torch.ones(int(chosen.sum()), 3))


def test_what_few_paths_have_found_counts_less():
    """Of two halves of a floor's pixels, in columns, one is worth a ninth of the other."""
    batch = SceneBatch.of([FLAT])
    surfaces = visible_surfaces(batch, WIDTH, HEIGHT)
    odd = surfaces.pixel % WIDTH % 2
    ones, residual = torch.ones(len(odd)), odd.float()[:, None].expand(-1, 3)
    weights = torch.where(odd == 1, 1 / 9, 1.0)
    found = residual_levels(batch, surfaces, torch.ones_like(residual), residual, ones, 0 * ones, weights)
    assert WIDTH // 2 % 2 == 0  # 2 of the own column, and 2 / 9 of those beside
    np.testing.assert_allclose(middle(found.moments[1])[0], 0.1, rtol=1e-4)


def test_what_has_no_weight_stays_as_it_is_and_adds_to_no_other():
    """The right half of a floor has a residual of 1, and the picture mottle."""
    batch = SceneBatch.of([FLAT])
    surfaces = visible_surfaces(batch, WIDTH, HEIGHT)
    right = surfaces.pixel % WIDTH >= WIDTH // 2
    picture = 1 + 0.1 * torch.rand(len(right), 3, generator=torch.Generator().manual_seed(0))
    ones, residual = torch.ones(len(right)), right.float()[:, None].expand(-1, 3)
    found = residual_levels(batch, surfaces, picture, residual, ones, 0 * ones, (~right).float())
    for values in found.moments[1:]:
        assert (values[right] == found.moments[0][right]).all()
        assert (values[~right, :3] == 0).all()
    assert (found.moments[1][~right, VARIANCE] < 0.9).all()
    assert all((values[right] == 0).all() for values in found.details)


@wp.kernel(enable_backward=False)
def likenesses(
    point: wp.array[wp.vec3],
    normal: wp.array[wp.vec3],
    other: wp.array[wp.vec3],
    radiance: wp.array[wp.vec3],
    width: float,
    tolerance: float,
    found: wp.array[float],
):
    """Of neighbours with a fragment at the origin whose normal is along z and whose radiance is the first one."""
    i = wp.tid()
    half = SAME_PLANE * width
    falloff = 1.0 / (half * half)
    own = Guide(wp.vec3(0.0, 0.0, 0.0), wp.vec3(0.0, 0.0, 1.0), falloff, radiance[0], tolerance * tolerance)
    found[i] = likeness(own, point[i], normal[i], other[i])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])  # of radiance
def test_with_one_division_neighbours_are_as_alike_as_by_the_formula(unit, device):
    """cos⁴ θ / ((1 + a²)² (1 + d²)²), in float64."""
    rng, count, width, tolerance = np.random.default_rng(11), 1009, 0.03, 0.1
    point = rng.normal(size=(count, 3)).astype(np.float32) * np.array([1, 1, 0.05], np.float32)
    normal = unit_vectors(count, seed=12)
    own = np.array([0.5, 0.25, 0.125])
    other = own + rng.normal(size=(count, 3)) * rng.choice([0.0, 0.01, 0.1], (count, 1))
    given = [(values * unit).astype(np.float32) for values in (other, np.tile(own, (count, 1)))]
    found = run(likenesses, point, normal, *given, width, tolerance, device=device)[0]
    off = point[:, 2].astype(np.float64) / (2 * width)
    apart = np.linalg.norm(own - other, axis=1) / (tolerance * (own + other).sum(1))
    expected = normal[:, 2].clip(0).astype(np.float64) ** 4 / ((1 + off**2) * (1 + apart**2)) ** 2
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-12)
