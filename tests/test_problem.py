"""What a fit is of: its pictures, their sizes and exposure, and its loss."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from fit_scenes import FREE, START, TRUE

from luxel import InputError
from luxel.experiments.base import tiny_model
from luxel.fit import FitSettings, fit
from luxel.fit.problem import DISPLAY_HUBER, Problem
from luxel.fit.steps import steps
from luxel.models.image_model import ImageModel
from luxel.pipeline import Renderer

RENDERER = Renderer.from_pretrained("ray-small")
IMAGE = np.random.default_rng(0).uniform(0, 2, (41, 41, 3)).astype(np.float32)


def test_coarse_pictures_come_first():
    """Of 43×41 pixels those of 21×20 and 10×10, which are means of it, seen at one exposure."""
    image = np.random.default_rng(0).uniform(0, 2, (41, 43, 3)).astype(np.float32)
    problem = Problem.of(RENDERER, [image], START, FREE)
    assert [level.images.shape for level in problem.levels] == [(1, 10, 10, 3), (1, 20, 21, 3), (1, 41, 43, 3)]
    for level in problem.levels:
        assert level.images.mean() == pytest.approx(image.mean(), rel=0.02)
        assert level.exposure == problem.exposure
    assert problem.exposure == pytest.approx(0.3, rel=0.05)
    assert len(replace(problem, settings=FitSettings(levels=1)).levels) == 1
    small = Problem.of(RENDERER, [image[:19, :19]], START, FREE)
    assert [level.images.shape[1] for level in small.levels] == [19]
    torch.manual_seed(0)
    of_one_size = Problem.of(Renderer(ImageModel(tiny_model())), [image], TRUE.without(0, 1), ["background"])
    assert len(of_one_size.levels) == 1


def test_the_gradient_is_that_of_the_loss_with_weights_held():
    """And the matrix its curvature: of Huber's loss between differences, of one number."""
    problem = Problem.of(RENDERER, [RENDERER(TRUE, 17) * 1.3], START, ["background[1]"])
    views = problem.parameters.start
    found, unit = problem.differences(views), steps(problem.parameters, views, 17, 0.5)
    local = problem.least_squares(found, unit)

    def loss(factor: float) -> float:
        error = np.abs(found.pictures + factor * unit[0] * found.jacobian[0] - problem.images) / local.scale
        return float(np.where(error < DISPLAY_HUBER, error**2 / 2, DISPLAY_HUBER * (error - DISPLAY_HUBER / 2)).mean())

    assert local.gradient[0] == pytest.approx((loss(0.01) - loss(-0.01)) / 0.02, rel=1e-3)
    assert 2 * loss(0) == pytest.approx(problem.loss(found.pictures), rel=1e-5)


def test_a_fit_that_does_not_fit_into_memory_is_refused_before_it_is_begun(monkeypatch):
    monkeypatch.setattr("luxel.memory.free_memory", lambda device, enough=None: 2**20)
    with pytest.raises(InputError, match=r"^9 free numbers and 1 images of 41×41: that takes some .* MiB of memory"):
        fit(RENDERER, [IMAGE], START, FREE)


def with_nan(image: np.ndarray) -> np.ndarray:
    image = image.copy()
    image[3, 5, 1] = np.nan
    return image


def test_what_cannot_be_is_told():
    def told(images: object, expected: str, **options: object) -> None:
        with pytest.raises(InputError, match=expected):
            fit(RENDERER, images, TRUE, options.pop("free", ["background"]), **options)

    told([], "^images must be a list of at least one picture")
    told([with_nan(IMAGE)], r"^images\[0\]: the image is nan at row 3, column 5, but radiance is finite")
    told([IMAGE[..., 0]], r"^images\[0\]: the image is of shape \(41, 41\), must be \[height, width, 3\]")
    told(
        [IMAGE, IMAGE[:, :7]],
        r"^images\[1\] is of 7×41, but images\[0\] of 41×41: give pictures of one size",
        cameras=[TRUE.camera] * 2,
    )
    told([IMAGE, IMAGE], "^there are 2 images and 1 cameras; give cameras, one an image")
    told([IMAGE], "^there are 1 images and 2 cameras", cameras=[TRUE.camera] * 2)
    told([IMAGE], "^there are 1 images and 0 cameras", cameras=[])
    told([IMAGE], r"^'lamp' is no parameter of this scene", free=["lamp"])
    told([IMAGE], "^bounds of background are", bounds={"background": (1.0, 0.0)})
    with pytest.raises(InputError, match=r"^fit\.iterations is 0, must be an integer in \[1, 100000\]"):
        FitSettings(iterations=0)
    with pytest.raises(InputError, match=r"^fit\.learning_rate is nan"):
        FitSettings(learning_rate=math.nan)
