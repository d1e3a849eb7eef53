"""The page of a fit."""

import re

from luxel.fit import FitSettings
from luxel.fit.fit_page import error_in_words, loss_lines, write_fit_page
from luxel.fit.optimise import State, advance, found
from luxel.fit.problem import Problem
from luxel.pipeline import Renderer
from luxel.scene import Camera, Scene, Sphere

SCENE = Scene(
    objects=(Sphere(center=(0, 0, 0), radius=1), Sphere(center=(0, 9, 0), radius=1)),
    camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)),
    background=(50.0, 60.0, 70.0),
)


def test_it_shows_pictures_errors_numbers_and_the_loss(tmp_path):
    """Exposed as the loss is; a ball that is hidden by another changes nothing."""
    renderer = Renderer.from_pretrained("ray-small")
    free = ["background", "objects[1].radius"]
    start = SCENE.model_copy(update={"background": (40.0, 60.0, 70.0)})
    problem = Problem.of(renderer, [renderer(SCENE, 13)], start, free, settings=FitSettings(iterations=1))
    result = found(problem, advance(problem, State.of(problem)))
    write_fit_page(tmp_path / "page.html", problem, result, ["first & last.exr"])
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png") == 3 + 2
    assert re.findall(r"<figcaption>(given|start|found)", page) == ["given", "start", "found"]
    assert "path traced" not in page
    assert "first &amp; last.exr" in page
    assert re.search(r"background\[0\]</td><td class=\"number\">40</td><td class=\"number\">(49\.9|50)", page)
    assert re.search(r"objects\[1\]\.radius</td><td class=\"number\">1</td>.*\s*.*changes no picture", page)
    assert re.search(r"-7\.\d stops", page), "0.3 of some 50 to 70"
    assert "<svg" in page


def test_errors_are_told_to_two_digits():
    assert error_in_words(0.01234) == "± 0.012"
    assert error_in_words(float("inf")) == "changes no picture"


def test_each_size_of_pictures_has_its_own_line_of_losses():
    renderer = Renderer.from_pretrained("ray-small")
    start = SCENE.model_copy(update={"background": (40.0, 60.0, 70.0)})
    problem = Problem.of(renderer, [renderer(SCENE, 23, 21)], start, ["background"])
    state = State.of(problem)
    while not state.ended:
        state = advance(problem, state)
    result = found(problem, state)
    lines = loss_lines(problem, result)
    assert [line.name for line in lines] == ["11×10", "23×21"]
    assert [number for line in lines for number in line.x] == list(range(len(result.losses)))
    assert [loss for line in lines for loss in line.y] == [max(loss, 1e-12) for loss in result.losses]
