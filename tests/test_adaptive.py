"""Paths where they matter: as many on average as asked for, most of them where noise shows."""

import numpy as np
import pytest
import torch

from luxel.core.scene_batch import SceneBatch
from luxel.scene import from_points
from luxel.trace.adaptive import (
    BRANCHES,
    FIRST_SPP,
    SPP_STEP,
    allocated,
    best_branches,
    relative_noise,
    sample_adaptively,
)
from luxel.trace.path import PathTracer

SCENE = from_points(np.random.default_rng(1).normal(size=(31, 3)), aspect=97 / 61)
WIDTH, HEIGHT = 97, 61
NOTHING_FLAT = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)


def test_paths_go_with_the_noise_up_to_the_most_and_to_the_mean():
    noise = torch.tensor([[0.0, 1.0], [2.0, 100.0]])
    np.testing.assert_array_equal(allocated(noise, 56, 128), [[0, 32], [64, 128]])
    np.testing.assert_array_equal(allocated(noise, 38, 128), [[0, 8], [16, 128]])
    np.testing.assert_array_equal(allocated(torch.ones(3, 2), 14, 128), np.full((3, 2), 8))
    np.testing.assert_array_equal(allocated(torch.zeros(3, 2), 8, 128), np.zeros((3, 2)))


def test_noise_shows_in_what_is_dark_and_not_over_white():
    mean = torch.full((8, 24, 3), 0.15)
    mean[:, 16:] = 1.3
    noise = relative_noise(mean, torch.full((8, 24), 0.25))
    assert float(noise[3, 2]) == pytest.approx(0.5 / 0.25)
    assert float(noise[3, 22]) == pytest.approx(
        0.5 * float(noise[3, 12]), rel=0.05
    )  # its own shows not, its neighbours' does


def test_chosen_pixels_get_what_they_get_among_all():
    batch = SceneBatch.of([SCENE, SCENE])
    tracer = PathTracer()
    pixels = torch.tensor([5, 301, 11, WIDTH * HEIGHT + 7], dtype=torch.int32)
    every = tracer.sample(batch, WIDTH, HEIGHT, 4, 3).mean
    chosen = tracer.sample(batch, WIDTH, HEIGHT, 4, 3, pixels=pixels).mean
    np.testing.assert_array_equal(chosen, every[pixels.long()])


def test_more_paths_go_to_the_spheres_and_the_mean_stays():
    batch, tracer = SceneBatch.of([SCENE]), PathTracer()
    done: list[int] = []
    mean, spp = sample_adaptively(tracer, batch, WIDTH, HEIGHT, 13, 0, NOTHING_FLAT, done.append)
    assert sum(done) == WIDTH * HEIGHT
    assert min(done) >= 0
    assert spp.double().mean() <= 13
    assert spp.double().mean() > 9
    assert set(spp.unique().tolist()) <= {
        FIRST_SPP + more for more in (0, 8, 16, *range(SPP_STEP, 8 * SPP_STEP, SPP_STEP))
    }
    seen = tracer.features(batch, WIDTH, HEIGHT).object_number[0]
    shapes = [item.shape for item in SCENE.objects]
    sphere = torch.tensor([[number >= 0 and shapes[number] == "sphere" for number in row] for row in seen.tolist()])
    assert spp[sphere].double().mean() > 1.2 * spp[~sphere].double().mean()
    truth = tracer.sample(batch, WIDTH, HEIGHT, 256, 9).mean.reshape(HEIGHT, WIDTH, 3)
    assert float(mean.mean()) == pytest.approx(float(truth.mean()), rel=0.01)


def test_fewer_paths_go_to_what_is_flat_and_more_elsewhere():
    batch, tracer = SceneBatch.of([SCENE]), PathTracer()
    ground = tracer.features(batch, WIDTH, HEIGHT).object_number[0] == 0
    everywhere, spared = (
        sample_adaptively(tracer, batch, WIDTH, HEIGHT, 29, 0, flat).spp.double() for flat in (NOTHING_FLAT, ground)
    )
    assert SCENE.objects[0].shape == "plane"
    assert spared.mean() <= 29
    assert spared[ground].mean() < 0.9 * everywhere[ground].mean()
    assert spared[~ground].mean() > 1.1 * everywhere[~ground].mean()


def test_paths_share_rays_under_a_sky_and_not_among_lamps():
    """In the look `dark` two lamps make nearly all noise, in `flat` there is none."""
    points, every = np.random.default_rng(1).normal(size=(31, 3)), torch.arange(0, WIDTH * HEIGHT, 7)
    chosen = {}
    for look in ("flat", "dark"):
        batch = SceneBatch.of([from_points(points, look=look, aspect=WIDTH / HEIGHT)])
        features = PathTracer().features(batch, WIDTH, HEIGHT)
        pixels = every[features.object_number.flatten()[every] > 1]
        chosen[look] = best_branches(PathTracer(), batch, WIDTH, HEIGHT, 0, pixels)
    assert chosen == {"flat": BRANCHES, "dark": 1}


def test_few_paths_are_the_same_everywhere():
    batch, tracer = SceneBatch.of([SCENE]), PathTracer()
    mean, spp = sample_adaptively(tracer, batch, WIDTH, HEIGHT, 5, 0, NOTHING_FLAT)
    assert (spp == 5).all()
    np.testing.assert_array_equal(mean.reshape(-1, 3), tracer.sample(batch, WIDTH, HEIGHT, 5, 0).mean)
