"""Paths told apart by what they meet first."""

import numpy as np
import pytest
import torch
from kernels import DEVICES

from luxel.core.fragments import FragmentPaths, Fragments, visible_fragments, with_sky
from luxel.core.scene_batch import SceneBatch
from luxel.scene import Camera, Material, Panel, Scene, Sphere
from luxel.trace import path
from luxel.trace.path import Estimate, PathTracer

WIDTH, HEIGHT = 13, 9
ABOVE = Camera(position=(0, 0, 5), look_at=(0, 0, 0), up=(0, 1, 0), projection="orthographic", vertical_extent=9)
"""A pixel is one unit wide."""
BRIGHT, DIM = (5.0, 4.0, 3.0), (0.5, 0.25, 0.125)


def glowing(radiance: tuple[float, float, float], center: tuple[float, float], half: tuple[float, float]) -> Panel:
    return Panel(center=(*center, 0), half_extents=half, material=Material(emission=radiance, base_color=(0, 0, 0)))


HALVES = Scene(objects=(glowing(BRIGHT, (-50.2, 0), (50, 50)), glowing(DIM, (49.8, 0), (50, 50))), camera=ABOVE)
"""They meet at x = −0.2: the seventh column is 0.3 bright."""
BALL = Scene(
    objects=(Sphere(center=(0.3, 0.2, 0), radius=2.6), Sphere(center=(3, 2, 1), radius=1.5)),
    camera=ABOVE,
    background=(1.0, 0.5, 0.25),
)


def fragments_of(scenes: list[Scene], device: str = "cpu") -> Fragments:
    batch = SceneBatch.of(scenes, device)
    return with_sky(batch, visible_fragments(batch, WIDTH, HEIGHT, 32))


def sampled(scenes: list[Scene], fragments: Fragments, spp: int, device: str = "cpu") -> tuple[Estimate, FragmentPaths]:
    """As many paths of each pixel."""
    paths = torch.full((len(scenes) * WIDTH * HEIGHT,), spp)
    return PathTracer(device=device).sample_fragments(scenes, fragments, paths, 3)


@pytest.mark.parametrize("device", DEVICES)
def test_a_fragments_paths_have_its_own_radiance_and_no_scatter(device):
    """Two lamps side by side: every path shows one or the other, whatever share of them meets which."""
    fragments = fragments_of([HALVES], device)
    whole, found = sampled([HALVES], fragments, 40, device)
    middle = (fragments.pixel % WIDTH == WIDTH // 2).cpu()
    assert middle.sum() == 2 * HEIGHT
    expected = torch.tensor([BRIGHT, DIM])[fragments.object_number.cpu().long()]
    torch.testing.assert_close(found.mean.cpu(), expected, rtol=1e-5, atol=0)
    torch.testing.assert_close(found.scatter.cpu(), torch.zeros(WIDTH * HEIGHT), atol=1e-9, rtol=0)
    share = found.counts.cpu()[middle].view(HEIGHT, 2) / 40
    torch.testing.assert_close(share.sum(1), torch.ones(HEIGHT))
    np.testing.assert_allclose(share[:, 0].mean(), 0.3, atol=0.05)
    assert whole.path_variance.view(HEIGHT, WIDTH)[:, WIDTH // 2].min() > 0.5


@pytest.mark.parametrize("spp", [1, 4, 37])
def test_together_they_are_the_pixels_paths(spp):
    """Counts, means and squared distances of fragments make those of pixels; the paths are `sample`'s, to the bit."""
    fragments = fragments_of([HALVES, BALL])
    whole, found = sampled([HALVES, BALL], fragments, spp)
    plain = PathTracer().sample([HALVES, BALL], WIDTH, HEIGHT, spp, 3)
    torch.testing.assert_close(whole.mean, plain.mean, rtol=0, atol=0)
    pixel, pixels = fragments.pixel_of_all.long(), 2 * WIDTH * HEIGHT

    def summed(values: torch.Tensor) -> torch.Tensor:
        return torch.zeros(pixels, *values.shape[1:]).index_add(0, pixel, values)

    counted = summed(found.counts) == spp
    assert counted.float().mean() > 0.98  # the others have a path through a sliver that no ray of the lattice met
    mean = summed(found.mean * found.counts[:, None]) / spp
    torch.testing.assert_close(mean[counted], whole.mean[counted], rtol=1e-4, atol=1e-5)
    if spp > 1:
        between = summed((found.mean - mean[pixel]).square().mean(1) * found.counts)
        variance = (found.scatter + between) / (spp - 1)
        torch.testing.assert_close(variance[counted], whole.path_variance[counted], rtol=1e-3, atol=1e-5)


def test_a_pixels_paths_are_the_same_whatever_others_get():
    """Each pixel has 3, 4 or 20 of them, as if all had."""
    scenes, pixels = [HALVES, BALL], 2 * WIDTH * HEIGHT
    fragments, numbers = fragments_of(scenes), (3, 4, 20)
    chosen = torch.randint(3, (pixels,), generator=torch.Generator().manual_seed(0))
    told: list[int] = []
    spp = torch.tensor(numbers)[chosen]
    mixed, of_fragments = PathTracer().sample_fragments(scenes, fragments, spp, 3, told.append)
    assert sum(told) == pixels
    for which, number in enumerate(numbers):
        whole, found = sampled(scenes, fragments, number)
        own = chosen == which
        of_own = own[fragments.pixel_of_all.long()]
        for values, expected in zip(mixed, whole, strict=True):
            torch.testing.assert_close(values[own], expected[own], rtol=0, atol=0)
        for values, expected, rows in zip(of_fragments, found, (of_own, of_own, own), strict=True):
            torch.testing.assert_close(values[rows], expected[rows], rtol=0, atol=0)


def test_shares_of_many_paths_are_what_fragments_cover():
    fragments = fragments_of([BALL])
    _, found = sampled([BALL], fragments, 4096)
    assert ((fragments.coverage > 0.05) & (fragments.coverage < 0.95)).sum() > 20
    torch.testing.assert_close(found.counts / 4096, fragments.coverage, rtol=0, atol=0.08)


def test_they_depend_neither_on_the_batch_nor_on_how_much_is_traced_at_once(monkeypatch):
    alone = sampled([BALL], fragments_of([BALL]), 20)[1]
    monkeypatch.setattr(path, "CPU_CHUNKS", 64)
    together = sampled([HALVES, BALL], fragments_of([HALVES, BALL]), 20)[1]
    for one, both in zip(alone, together, strict=True):
        torch.testing.assert_close(both[-len(one) :], one, rtol=0, atol=0)


def test_a_path_that_meets_what_no_fragment_shows_counts_for_none():
    """A lamp is moved into a pixel's corner after its fragments were found."""
    speck = glowing(BRIGHT, (0.4, 0.4), (0.1, 0.1))
    there = HALVES.model_copy(update={"objects": (*HALVES.objects, speck.model_copy(update={"center": (0.4, 0.4, 1)}))})
    away = HALVES.model_copy(update={"objects": (*HALVES.objects, speck.model_copy(update={"center": (90, 0, 1)}))})
    fragments = fragments_of([away])
    whole, found = sampled([there], fragments, 400)
    pixel = HEIGHT // 2 * WIDTH + WIDTH // 2
    own = fragments.pixel == pixel
    missed = 400 - found.counts[own].sum()
    np.testing.assert_allclose(missed, 400 * 0.04, rtol=0.7)
    lost = whole.mean[pixel] - (found.counts[own, None] * found.mean[own]).sum(0) / 400
    torch.testing.assert_close(lost, missed / 400 * torch.tensor(BRIGHT), rtol=1e-3, atol=1e-4)
