"""Pictures without a network: right in the mean, with less noise than their paths, the same for the same seed."""

import numpy as np
import pytest

from luxel import InputError
from luxel.denoised import denoised
from luxel.scene import from_points
from luxel.trace.path import PathTracer

SCENE = from_points(np.random.default_rng(1).normal(size=(31, 3)), aspect=37 / 23)
WIDTH, HEIGHT = 37, 23


def test_a_picture_is_nearer_to_the_truth_than_its_paths():
    truth = PathTracer().trace([SCENE], WIDTH, HEIGHT, 256, seed=5).mean[0]
    paths = PathTracer().sample([SCENE], WIDTH, HEIGHT, 4, seed=0).mean.reshape(HEIGHT, WIDTH, 3).numpy()
    done: list[int] = []
    picture = denoised(SCENE, WIDTH, HEIGHT, 4, 0, progress=done.append)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert picture.dtype == np.float32
    assert sum(done) == WIDTH * HEIGHT
    error, noise = (np.square(image - truth).mean() for image in (picture, paths))
    assert error < 0.6 * noise
    assert picture.mean() == pytest.approx(truth.mean(), rel=0.02)
    np.testing.assert_array_equal(picture, denoised(SCENE, WIDTH, HEIGHT, 4, 0))
    assert (picture != denoised(SCENE, WIDTH, HEIGHT, 4, 1)).any()


def test_light_is_as_deep_as_it_is_asked_to_be():
    direct, whole = (denoised(SCENE, WIDTH, HEIGHT, 16, max_depth=depth).mean() for depth in (2, 6))
    truth = PathTracer(max_depth=2).trace([SCENE], WIDTH, HEIGHT, 256, seed=5).mean[0].mean()
    assert direct == pytest.approx(truth, rel=0.02)
    assert whole > 1.02 * direct


def test_paths_of_a_crowd_end_on_small_balls_and_the_mean_stays(monkeypatch):
    crowd = from_points(np.random.default_rng(2).normal(size=(307, 3)), aspect=WIDTH / HEIGHT)
    cached = denoised(crowd, WIDTH, HEIGHT, 32)
    monkeypatch.setattr("luxel.denoised.small_ball_cache", lambda *_: None)
    traced = denoised(crowd, WIDTH, HEIGHT, 32)
    assert (cached != traced).any()
    assert cached.mean() == pytest.approx(traced.mean(), rel=0.005)


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ((0, 7, 4), "width is 0 and height 7: both must be at least 1"),
        ((7, 7, 0), "spp is 0, must be at least 1"),
        ((9_000_000, 9_000_000, 1), "width is 9000000 and height is 9000000"),
    ],
)
def test_what_cannot_be_rendered_is_told(size, told):
    with pytest.raises(InputError, match=told):
        denoised(SCENE, *size)
