"""Reflections of rough metals by neighbours' rays, beside those by each point's own.

Legend: points [n] of a picture, one a pixel.
"""

import numpy as np
import pytest
import torch
import warp as wp
from kernels import DEVICES, run
from torch import Tensor
from tracer_scenes import LAMP, ball, metal, panel

from luxel.core.fragments import visible_fragments
from luxel.core.scene_batch import SceneBatch
from luxel.models.gather import gather
from luxel.models.neighbourhood import as_neighbours, neighbourhood
from luxel.models.ray_model import RayModelConfig
from luxel.models.shading_points import OBJECT, points_of_fragments
from luxel.models.shared_reflections import MOST_OVER_OTHERS, LobeRaySums, reflected_without_dots
from luxel.models.signals import GLOSSY_VARIANCE, HIGHLIGHT, REFLECTION
from luxel.models.specular import no_chains
from luxel.scene import Camera, Material, Plane, Scene

WIDTH = 32
ABOVE = Camera(position=(0, -3, 3), look_at=(0, 0, 0), vertical_fov_degrees=30)
BRASS = metal(0.3)


def mirrored_floor(material: Material, *others, background=(0.5, 0.5, 0.5)) -> Scene:
    return Scene(objects=(Plane(center=(0, 0, 0), material=material), *others), camera=ABOVE, background=background)


def signals_of(of: Scene, shares: bool, device: str = "cpu") -> Tensor:
    """The floor's."""
    batch = SceneBatch.of([of], device)
    found = visible_fragments(batch, WIDTH, WIDTH, pixel_rays=32)
    table = points_of_fragments(batch, found)
    near = as_neighbours(neighbourhood(table, no_chains(table), found)) if shares else None
    settings = RayModelConfig().gather_settings(WIDTH, 0)
    on_floor = (table[:, OBJECT] == 0).cpu()
    return gather(batch, table, settings, near).cpu()[on_floor].double()


def reflection(signals: Tensor) -> Tensor:
    return signals[:, REFLECTION : REFLECTION + 3]


def noise_of(values: Tensor) -> Tensor:
    """By channel; what the floor shows is smooth, so that differences of neighbours are noise."""
    return values.diff(dim=0).square().mean(0).sqrt()


FAR_WALL = panel(0.0, 6.0, 2.0, (8.0, 2.0), Material(base_color=(0.9, 0.5, 0.1)), rotation=(0.5**0.5, 0.5**0.5, 0, 0))


@pytest.mark.parametrize("device", DEVICES)
def test_a_flat_metal_reflects_with_a_third_of_the_noise_and_as_much(device):
    floor = mirrored_floor(BRASS, FAR_WALL, ball(1.0, 2.0, 5.0, 0.7, LAMP))
    alone, shared = (signals_of(floor, shares, device) for shares in (False, True))
    assert (noise_of(reflection(shared)) < noise_of(reflection(alone)) / 3).all()
    np.testing.assert_allclose(reflection(shared).mean(0), reflection(alone).mean(0), rtol=0.01)
    assert shared[:, GLOSSY_VARIANCE].mean() < alone[:, GLOSSY_VARIANCE].mean() / 3


def test_under_one_sky_no_noise_but_the_albedos_is_left():
    alone, shared = (reflection(signals_of(mirrored_floor(BRASS), shares)) for shares in (False, True))
    assert (noise_of(shared) < noise_of(alone) / 3).all()
    np.testing.assert_allclose(shared.mean(0), alone.mean(0), rtol=0.01)


@pytest.mark.parametrize("material", [Material(roughness=0.3), Material(roughness=0.3, transmission=1.0)])
def test_sheens_and_glass_keep_their_own(material):
    floor = mirrored_floor(material, FAR_WALL, ball(1.0, 2.0, 5.0, 0.7, LAMP))
    assert torch.equal(*(reflection(signals_of(floor, shares)) for shares in (False, True)))


def test_highlights_are_each_points_own():
    floor = mirrored_floor(BRASS, ball(1.0, 2.0, 5.0, 0.7, LAMP))
    alone, shared = (signals_of(floor, shares)[:, HIGHLIGHT : HIGHLIGHT + 3] for shares in (False, True))
    np.testing.assert_allclose(shared.mean(0), alone.mean(0), rtol=0.02)


@wp.kernel
def without_dots(
    reflected: wp.array[wp.vec3], largest: wp.array[wp.vec3], count: wp.array[float], out: wp.array[wp.vec3]
) -> None:
    i = wp.tid()
    sums = LobeRaySums()
    sums.reflected = reflected[i]
    sums.largest = largest[i]
    sums.count = count[i]
    out[i] = reflected_without_dots(sums)


def test_one_ray_of_many_brings_at_most_so_much_more_than_all_others():
    others = np.full((4, 3), 0.25, np.float32)
    bright = [300.0, 200.0, 100.0]
    largest = np.array([[0.1] * 3, [0.25] * 3, bright, bright], np.float32)
    (found,) = run(without_dots, others + largest, largest, np.array([72, 72, 72, 31], np.float32))
    np.testing.assert_allclose(found[[0, 1, 3]], (others + largest)[[0, 1, 3]], rtol=1e-6)
    np.testing.assert_allclose(found[2] - others[2], largest[2] * (float(MOST_OVER_OTHERS) * 0.25 / 200), rtol=1e-3)
