"""Scenes found from pictures."""

import math
from dataclasses import replace

import numpy as np
import pytest
from fit_scenes import CAMERA, COLOR, FREE, LAMP, START, TRUE

from luxel.fit import FitSettings, Found, fit
from luxel.fit.optimise import State, advance
from luxel.fit.parameters import Parameters, Views
from luxel.fit.problem import Problem
from luxel.pipeline import Renderer
from luxel.scene import Camera, Material, Scene, SceneError, Sphere
from luxel.trace.path import PathTracer

pytestmark = pytest.mark.filterwarnings("ignore::luxel.InputWarning")
"""What fits warn of, as of starts at the truth: tests/test_certainty.py has it."""
RENDERER = Renderer.from_pretrained("ray-small")
WIDTH = 29
SPP = 16


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """With the noise of 16 paths a pixel."""
    return PathTracer().trace([TRUE], WIDTH, WIDTH, SPP, seed=0).mean[0]


def off(found: Found, scene: Scene = TRUE) -> dict[str, float]:
    """Distances of what was found from what is so."""
    return {
        COLOR: math.dist(found.scene.objects[1].material.base_color, scene.objects[1].material.base_color),
        LAMP: math.dist(found.scene.objects[3].center, scene.objects[3].center),
        CAMERA: math.dist(found.scene.camera.position, scene.camera.position),
    }


def test_a_colour_a_lamp_and_a_camera_are_found_in_a_noisy_picture(image):
    """All three at once, from a grey, 1.9 units and 0.4 units away, with what the network itself gets wrong."""
    start = START.with_camera(position=(0.3, -5.2, 1.3))
    seen = []
    found = fit(RENDERER, [image], start, FREE, progress=lambda state: seen.append(state.iterations))
    away = off(found)
    assert away[COLOR] < 0.05
    assert away[LAMP] < 0.3
    assert away[CAMERA] < 0.06
    assert seen == list(range(1, len(found.losses)))
    assert found.losses[-1] < 0.3 * found.losses[0]
    assert found.start[f"{LAMP}[0]"] == 1.0
    assert found.numbers[f"{LAMP}[0]"] == found.scene.objects[3].center[0]


def test_adam_finds_about_the_same(image):
    settings = FitSettings(method="adam", iterations=40, learning_rate=2.0)
    found = fit(RENDERER, [image], START, [COLOR, LAMP], settings=settings)
    assert len(found.losses) == 41
    assert off(found)[COLOR] < 0.08  # of 0.37
    assert off(found)[LAMP] < 0.6  # of 1.9


def test_an_object_is_found_from_where_it_overlaps_what_is_seen():
    """A ball seven eighths of its width away, 12 pixels, within half the usual iterations, which come ever nearer."""
    ball = Sphere(center=(0.7, 0, -0.3), radius=0.6, material=Material(base_color=(0.8, 0.2, 0.2)))
    scene = TRUE.without(1, 2).model_copy(update={"objects": (*TRUE.without(1, 2).objects, ball)})
    start = scene.with_object(2, center=(-0.35, 0, -0.3))
    found = fit(RENDERER, [RENDERER(scene, 48)], start, ["objects[2].center"], settings=FitSettings(iterations=30))
    assert math.dist(found.scene.objects[2].center, ball.center) < 0.02


def test_two_pictures_with_their_own_cameras():
    """A picture from either side; the second camera is found with the lamp."""
    cameras = [TRUE.camera, Camera(position=(4, -3, 1.5), look_at=(0, 0, -0.2))]
    images = PathTracer().trace([TRUE.with_camera(**dict(camera)) for camera in cameras], 23, 23, SPP, seed=0).mean
    given = [cameras[0], cameras[1].model_copy(update={"position": (4.2, -2.8, 1.4)})]
    start = START.with_material(1, base_color=(0.7, 0.3, 0.2))
    found = fit(RENDERER, list(images), start, [LAMP, "cameras[1].position"], cameras=given)
    assert off(found)[LAMP] < 0.35
    assert math.dist(found.cameras[1].position, cameras[1].position) < 0.12  # of 0.3
    assert found.cameras[0] == cameras[0]
    assert found.pictures.shape == (2, 23, 23, 3)


def test_what_the_renderer_made_itself_is_found_exactly():
    """Of a picture without noise, by the network that looks for it."""
    image = RENDERER(TRUE, 17)
    found = fit(RENDERER, [image], TRUE.with_material(1, base_color=(0.4, 0.4, 0.4)), [COLOR, "background"])
    np.testing.assert_allclose(found.scene.objects[1].material.base_color, (0.7, 0.3, 0.2), atol=1e-3)
    np.testing.assert_allclose(found.scene.background, TRUE.background, atol=1e-3)
    assert found.losses[-1] < 1e-7


@pytest.mark.parametrize("method", ["lm", "adam"])
def test_numbers_stay_within_their_bounds(method):
    """The best colour is beyond; what is found is the bound, and the others go on."""
    image = RENDERER(TRUE, 17)
    start = TRUE.with_material(1, base_color=(0.4, 0.4, 0.4))
    settings = FitSettings(method=method, iterations=20)
    found = fit(RENDERER, [image], start, [COLOR], bounds={COLOR: (0.35, 0.5)}, settings=settings)
    np.testing.assert_allclose(found.scene.objects[1].material.base_color, (0.5, 0.35, 0.35), atol=1e-6)


def test_numbers_stay_within_what_their_fields_declare():
    found = fit(RENDERER, [3 * RENDERER(TRUE, 17)], TRUE, ["objects[0].material.base_color"])
    assert max(found.numbers.values()) == 1.0


def test_exposure_changes_nothing():
    """Of scene and picture alike: the loss is of what a display shows."""
    image, free = RENDERER(TRUE, 17), [COLOR]
    lamp = tuple(1000 * channel for channel in TRUE.objects[3].material.emission)
    start = TRUE.with_material(1, base_color=(0.4, 0.4, 0.4))
    bright = start.with_material(3, emission=lamp).model_copy(update={"background": (300.0, 500.0, 700.0)})
    settings = FitSettings(iterations=2)
    expected = fit(RENDERER, [image], start, free, settings=settings)
    found = fit(RENDERER, [1000 * image], bright, free, settings=settings)
    np.testing.assert_allclose(found.losses, expected.losses, rtol=1e-2)
    np.testing.assert_allclose(list(found.numbers.values()), list(expected.numbers.values()), atol=1e-3)


def test_what_changes_no_picture_stays_and_is_told():
    """The lamp is black, so that its roughness shows nowhere."""
    scene = TRUE.with_material(3, specular=0.0)
    free = ["objects[3].material.roughness", "background"]
    found = fit(RENDERER, [RENDERER(scene, 17)], scene.model_copy(update={"background": (0.2, 0.2, 0.2)}), free)
    assert found.numbers[free[0]] == 0.5
    assert found.errors[free[0]] == math.inf
    np.testing.assert_allclose(found.scene.background, TRUE.background, atol=2e-3)


def test_standard_errors_are_those_of_repeated_noise():
    """Of a colour by pictures with so much noise of their own, 12 times, which tells it to a fifth."""
    clean, random = RENDERER(TRUE, 17).astype(np.float64), np.random.default_rng(0)
    found = []
    for _ in range(12):
        noisy = clean * (1 + 0.05 * random.normal(size=clean.shape))
        found.append(fit(RENDERER, [noisy], TRUE, [f"{COLOR}[0]"], settings=FitSettings(iterations=1)))
    spread = np.std([list(each.numbers.values()) for each in found])
    told = np.mean([list(each.errors.values()) for each in found])
    assert told == pytest.approx(spread, rel=0.5)


def test_iterations_depend_on_the_state_alone(image):
    problem = Problem.of(RENDERER, [image], START, [COLOR])
    first = advance(problem, State.of(problem))
    assert advance(problem, first) == advance(problem, replace(first))
    assert first.iterations == 1


def test_a_step_to_no_scene_is_not_taken(monkeypatch):
    """As that to a camera which looks at where it is: shorter ones are tried."""
    image, start = RENDERER(TRUE, 17), TRUE.with_camera(position=(0.05, -5.0, 1.5))
    problem = Problem.of(RENDERER, [image], start, [CAMERA])
    inside = type(problem.parameters).at
    tried = []

    def at(parameters: Parameters, vector: np.ndarray) -> Views:
        tried.append(vector.tolist())
        if len(tried) == 8:  # after the point itself and two for each number
            raise SceneError("no scene")
        return inside(parameters, vector)

    monkeypatch.setattr(type(problem.parameters), "at", at)
    after = advance(problem, State.of(problem))
    assert list(after.numbers) == pytest.approx(tried[8])
    assert tried[8] != tried[7]


def test_adam_stays_where_its_step_leads_to_no_scene(monkeypatch):
    image, start = RENDERER(TRUE, 17), TRUE.with_camera(position=(0.05, -5.0, 1.5))
    problem = Problem.of(RENDERER, [image], start, [CAMERA], settings=FitSettings(method="adam", iterations=3))
    inside, first, refused = type(problem.parameters).at, State.of(problem), []

    def at(parameters: Parameters, vector: np.ndarray) -> Views:
        if not refused and (vector != np.array(first.numbers)).all():  # differences move one number alone
            refused.append(vector)
            raise SceneError("no scene")
        return inside(parameters, vector)

    monkeypatch.setattr(type(problem.parameters), "at", at)
    second = advance(problem, first)
    assert (second.numbers, second.iterations) == (first.numbers, 1)
    assert advance(problem, second).numbers != first.numbers
