"""What a fit says of how sure its numbers are: against repeated noise, and of what pictures do not tell."""

import math

import numpy as np
import pytest
from fit_scenes import COLOR, LAMP, TRUE

from luxel import InputWarning
from luxel.fit import FitSettings, fit
from luxel.fit.certainty import BLOCKS, block_sums, largest_first, misfit
from luxel.fit.optimise import State, found
from luxel.fit.problem import Problem
from luxel.pipeline import Renderer
from luxel.scene import Camera, Material, Scene, Sphere

RENDERER = Renderer.from_pretrained("ray-small")
WIDTH = 23


def at_the_truth(scene: Scene, free: list[str], image: np.ndarray | None = None) -> object:
    """What is said of a fit that has not moved."""
    problem = Problem.of(RENDERER, [RENDERER(scene, WIDTH) if image is None else image], scene, free)
    return found(problem, State.of(problem))


def test_two_numbers_that_do_the_same_are_told_with_their_names():
    """Red of a matte ball that nothing but its own lamp lights, and that lamp's red: their product alone shows."""
    black = Material(base_color=(0, 0, 0), specular=0.0)
    scene = Scene(
        objects=(
            Sphere(center=(0, 0, 0), radius=1, material=Material(base_color=(0.5, 0.5, 0.5), specular=0, roughness=1)),
            Sphere(center=(3, -6, 4), radius=1, material=black.model_copy(update={"emission": (20.0, 20.0, 20.0)})),
        ),
        camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)),
        background=(0, 0, 0),
    )
    pair = ["objects[0].material.base_color[0]", "objects[1].material.emission[0]"]
    result = at_the_truth(scene, [*pair, "objects[0].center[0]"])
    assert min(result.correlations[name] for name in pair) > 0.99
    assert result.correlations["objects[0].center[0]"] < 0.9
    told = [warning for warning in result.warnings if "hardly tell apart" in warning]
    assert len(told) == 1
    assert all(name in told[0] for name in pair)
    assert "center" not in told[0]
    alone = at_the_truth(scene, pair[:1])
    assert not [warning for warning in alone.warnings if "hardly tell apart" in warning]


@pytest.mark.filterwarnings("ignore::luxel.InputWarning")  # as it starts at the truth, and noise is coarse
def test_standard_errors_of_correlated_noise_are_those_of_its_repetition():
    """Noise alike over 3×3 pixels, as what a renderer gets wrong is: single pixels' residuals would say a third."""
    clean, random = RENDERER(TRUE, 24).astype(np.float64), np.random.default_rng(0)
    results = []
    for _ in range(12):
        noise = np.kron(random.normal(size=(8, 8, 1)), np.ones((3, 3, 1)))
        settings = FitSettings(iterations=1, levels=1)
        results.append(fit(RENDERER, [clean * (1 + 0.05 * noise)], TRUE, [f"{COLOR}[0]"], settings=settings))
    spread = np.std([each.numbers[f"{COLOR}[0]"] for each in results])
    told = np.mean([each.errors[f"{COLOR}[0]"] for each in results])
    assert told == pytest.approx(spread, rel=0.5)


def test_a_picture_of_something_else_is_told_and_one_of_noise_is_not():
    """A wall of another colour than is free, and noise of a tenth."""
    other = at_the_truth(TRUE, [LAMP], RENDERER(TRUE.with_material(0, base_color=(0.2, 0.6, 0.4)), WIDTH))
    assert any("are not reproduced" in warning for warning in other.warnings)
    noisy = RENDERER(TRUE, WIDTH) * (1 + 0.1 * np.random.default_rng(0).normal(size=(WIDTH, WIDTH, 3)))
    assert not any("are not reproduced" in text for text in at_the_truth(TRUE, [LAMP], noisy.clip(0)).warnings)


def test_what_no_picture_shows_is_told():
    scene = TRUE.with_material(3, specular=0.0)
    result = at_the_truth(scene, ["objects[3].material.roughness", "background"])
    assert result.errors["objects[3].material.roughness"] == math.inf
    assert any("say nothing of objects[3].material.roughness" in warning for warning in result.warnings)


@pytest.mark.filterwarnings("ignore:the loss has hardly fallen")  # as it starts at the truth
def test_python_is_warned_too():
    image = RENDERER(TRUE.with_material(0, base_color=(0.2, 0.6, 0.4)), WIDTH)
    with pytest.warns(InputWarning, match="the pictures are not reproduced"):
        fit(RENDERER, [image], TRUE, [f"{COLOR}[0]"], settings=FitSettings(iterations=1, levels=1))


def test_misfit_is_what_blocks_are_off_by_without_noise():
    """Of 7×11 pixels a block: noise of 0.05, and with it an error of 0.03 all over."""
    noise = np.random.default_rng(0).normal(scale=0.05, size=(1, 7 * BLOCKS, 11 * BLOCKS, 3))
    assert misfit(noise) < 0.002
    assert misfit(noise + 0.03) == pytest.approx(0.03, rel=0.05)


def test_blocks_hold_every_pixel_once():
    pixels = np.arange(2 * 13 * 5, dtype=np.float64).reshape(2, 13, 5)
    assert block_sums(pixels).shape == (2, BLOCKS, 5)
    np.testing.assert_allclose(block_sums(pixels).sum((1, 2)), pixels.sum((1, 2)))


def test_a_direction_is_named_by_its_largest_components():
    assert largest_first(np.array([0.1, -0.9, 0.4, 0.2])).tolist() == [1, 2]
