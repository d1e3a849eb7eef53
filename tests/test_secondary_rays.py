"""The cache of crowds of balls: paths end on it with the same mean; nothing else has one."""

from dataclasses import replace

import numpy as np
import torch

from luxel.core.scene_batch import SceneBatch
from luxel.scene import Material, Scene, from_points
from luxel.trace.path import PathTracer
from luxel.trace.secondary_rays import MIN_CROWD, small_ball_cache

WIDTH, HEIGHT = 67, 43
CLOUD = from_points(np.random.default_rng(3).normal(size=(401, 3)), aspect=WIDTH / HEIGHT)
GROUND_AND_LAMP = 2
"""Objects before the balls."""


def cache_of(scene: Scene, spp: int = 64):
    batch, tracer = SceneBatch.of([scene]), PathTracer()
    return batch, small_ball_cache(tracer, batch, tracer.features(batch, WIDTH, HEIGHT), spp, 0)


def test_paths_that_end_on_a_cache_find_what_they_would_have_found_beyond():
    """In the mean, of each colour to a hundredth; with a cache of nothing a twelfth of the blue is missing."""
    batch, cache = cache_of(CLOUD)
    assert cache is not None
    assert cache.is_known.sum() > 100
    seen = PathTracer().features(batch, WIDTH, HEIGHT).object_number[0].flatten()
    ball = cache.is_known[seen] & (seen >= 0)
    nothing = cache._replace(coefficients=torch.zeros_like(cache.coefficients))
    traced, cached, dark = (
        PathTracer().sample(batch, WIDTH, HEIGHT, 128, 5, cache=each).mean[ball].mean(0)
        for each in (None, cache, nothing)
    )
    np.testing.assert_allclose(cached, traced, rtol=0.01)
    assert float(dark[2]) < 0.94 * float(traced[2])


def test_only_small_balls_that_are_matte_and_dark_among_many_are_cached():
    _, cache = cache_of(CLOUD)
    assert cache is not None
    assert not cache.is_known[:GROUND_AND_LAMP].any()
    few = CLOUD.model_copy(update={"objects": CLOUD.objects[: GROUND_AND_LAMP + MIN_CROWD - 1]})
    assert cache_of(few)[1] is None
    for material in (Material(roughness=0.2), Material(transmission=1.0), Material(emission=(1, 1, 1))):
        other = tuple(each.model_copy(update={"material": material}) for each in CLOUD.objects[GROUND_AND_LAMP:])
        shown = CLOUD.model_copy(update={"objects": (*CLOUD.objects[:GROUND_AND_LAMP], *other)})
        assert cache_of(shown)[1] is None


def test_a_ball_that_most_rays_meet_is_not_cached():
    giant = CLOUD.objects[-1].model_copy(update={"radius": 2.5, "center": (0.0, 0.0, 0.0)})
    _, cache = cache_of(CLOUD.model_copy(update={"objects": (*CLOUD.objects[:-1], giant)}))
    assert cache is not None
    assert cache.is_known.any()
    assert not cache.is_known[-1]


def test_a_picture_of_one_bounce_has_rays_of_one_segment():
    batch, tracer = SceneBatch.of([CLOUD]), replace(PathTracer(), max_depth=1)
    cache = small_ball_cache(tracer, batch, tracer.features(batch, WIDTH, HEIGHT), 64, 0)
    assert cache is not None
    assert float(torch.where(cache.is_known[:, None, None], cache.coefficients, 0.0).abs().max()) == 0
