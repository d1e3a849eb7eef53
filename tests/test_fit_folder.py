"""A fit in a folder: what it leaves, how it goes on, and what it refuses to go on with."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from luxel import InputError
from luxel.files.typed_json import read_json
from luxel.fit import FitSettings
from luxel.fit.fit_folder import fit_in_folder, load_cameras, load_images, parsed_bounds
from luxel.fit.optimise import State
from luxel.fit.problem import Problem
from luxel.image.formats import save_image
from luxel.pipeline import Renderer
from luxel.scene import Camera, Material, Plane, Scene, Sphere

RENDERER = Renderer.from_pretrained("ray-small")
TRUE = Scene(
    objects=(
        Plane(center=(0, 0, -1)),
        Sphere(center=(0, 0, 0), radius=1, material=Material(base_color=(0.7, 0.5, 0.3))),
    ),
    camera=Camera(position=(0, -5, 1), look_at=(0, 0, 0)),
    background=(0.5, 0.6, 0.7),
)
START = TRUE.with_object(1, center=(0.3, 0, 0.1)).model_copy(update={"background": (0.3, 0.3, 0.3)})
FREE = ["objects[1].center[0]", "background"]


def problem(**options: object) -> Problem:
    settings = options.pop("settings", FitSettings(iterations=4))
    free = options.pop("free", FREE)
    return Problem.of(RENDERER, [RENDERER(TRUE, 13)], START, free, settings=settings, **options)


def test_a_folder_holds_the_scene_its_figures_and_a_page(tmp_path):
    found = fit_in_folder(tmp_path / "fit", problem(), ["picture"])
    assert {path.name for path in (tmp_path / "fit").iterdir()} >= {
        *("scene.json", "result.json", "state.json", "index.html")
    }
    assert not (tmp_path / "fit" / "cameras.json").exists()
    assert Scene.load(tmp_path / "fit" / "scene.json") == found.scene
    result = json.loads((tmp_path / "fit" / "result.json").read_text())
    assert (result["model"], result["method"], result["iterations"]) == ("ray-small", "lm", len(found.losses) - 1)
    assert result["found"] == found.numbers
    assert list(result["found"]) == ["objects[1].center[0]", *(f"background[{index}]" for index in range(3))]
    assert result["losses"][-1] < 0.01 * result["losses"][0]
    page = (tmp_path / "fit" / "index.html").read_text()
    assert all(word in page for word in ("objects[1].center[0]", "picture", "ray-small", "<svg", "data:image/png"))


@pytest.mark.parametrize("method", ["lm", "adam"])
def test_an_interrupted_fit_goes_on_as_if_it_had_not_been(method, tmp_path):
    def interrupt(state: State) -> None:
        if state.iterations == 2:
            raise KeyboardInterrupt

    one = problem(settings=FitSettings(iterations=4, method=method, tolerance=0.0))
    expected = fit_in_folder(tmp_path / "whole", one, ["picture"])
    with pytest.raises(KeyboardInterrupt):
        fit_in_folder(tmp_path / "part", one, ["picture"], interrupt)
    assert not (tmp_path / "part" / "scene.json").exists()
    begun = []
    found = fit_in_folder(tmp_path / "part", one, ["picture"], lambda state: begun.append(state.iterations))
    assert begun[0] == 2
    assert found.numbers == expected.numbers
    assert found.losses == expected.losses
    before = (tmp_path / "part" / "state.json").read_bytes()
    again = fit_in_folder(tmp_path / "part", one, ["picture"])
    assert again.numbers == found.numbers
    assert (tmp_path / "part" / "state.json").read_bytes() == before


def other_weights() -> Renderer:
    """Of a model that has been trained on since, by the same name."""
    renderer = Renderer.from_pretrained("ray-small")
    with torch.no_grad():
        next(renderer.model.parameters()).add_(0.1)
    return renderer


def test_another_fit_is_not_gone_on_with(tmp_path):
    fit_in_folder(tmp_path, problem(), ["picture"])
    others = {
        "free": problem(free=["background"]),
        "settings": problem(settings=FitSettings(iterations=5)),
        "images": Problem.of(RENDERER, [RENDERER(START, 13)], START, FREE, settings=FitSettings(iterations=4)),
        "model": Problem.of(other_weights(), [RENDERER(TRUE, 13)], START, FREE, settings=FitSettings(iterations=4)),
        "scene": Problem.of(RENDERER, [RENDERER(TRUE, 13)], TRUE, FREE, settings=FitSettings(iterations=4)),
    }
    for name, other in others.items():
        with pytest.raises(InputError, match=f"state.json: is of a fit with another {name}; .* name another folder"):
            fit_in_folder(tmp_path, other, ["picture"])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"of": {}, "state": {}}', b"\xff"])
def test_a_damaged_state_is_told(content, tmp_path):
    (tmp_path / "state.json").write_bytes(content)
    with pytest.raises(InputError, match=r"state\.json: .*; name another folder, or remove this one"):
        fit_in_folder(tmp_path, problem(), ["picture"])


@pytest.mark.parametrize(
    "values",
    [
        {"numbers": [1.0]},
        {"numbers": [0.0, -1.0, 0.0, 0.0]},
        {"numbers": [math.nan] * 4},
        {"mean": [1.0]},
        {"square": [1.0]},
        {"begins": []},
        {"begins": [0, 1, 2, 3, 4]},
    ],
)
def test_a_state_that_cannot_be_is_told(values, tmp_path):
    fit_in_folder(tmp_path, problem(), ["picture"])
    content = read_json(tmp_path / "state.json")
    text = json.dumps({**content, "state": {**content["state"], **values}})  # with NaN, and without its checksum
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(InputError, match=rf"state\.json: {next(iter(values))} are .*; name another folder"):
        fit_in_folder(tmp_path, problem(), ["picture"])


def test_several_cameras_are_left_beside_the_scene(tmp_path):
    cameras = [TRUE.camera, Camera(position=(5, 0, 1), look_at=(0, 0, 0))]
    images = list(RENDERER.views(TRUE, cameras, 13))
    several = Problem.of(RENDERER, images, START, FREE, cameras=cameras, settings=FitSettings(iterations=2))
    found = fit_in_folder(tmp_path, several, ["left", "right"])
    assert load_cameras(tmp_path / "cameras.json") == list(found.cameras) == cameras


def test_images_are_openexr(tmp_path):
    image = RENDERER(TRUE, 7)
    save_image(tmp_path / "a.exr", image)
    np.testing.assert_array_equal(load_images([tmp_path / "a.exr"])[0], image)
    with pytest.raises(InputError, match=r"a\.png: images are \.exr, linear radiance"):
        load_images([tmp_path / "a.png"])
    with pytest.raises(InputError, match=r"start\.json: is a scene, .*: luxel fit IMAGE\.exr --scene start"):
        load_images([Path("start.json")])
    with pytest.raises(InputError, match=r"b\.exr: there is no such file"):
        load_images([tmp_path / "b.exr"])


def test_cameras_are_a_list(tmp_path):
    def told(content: object, expected: str) -> None:
        file = tmp_path / "cameras.json"
        file.write_text(json.dumps(content))
        with pytest.raises(InputError, match=expected):
            load_cameras(file)

    told({}, r"cameras\.json: must be a list of cameras")
    told([], r"cameras\.json: must be a list of cameras")
    told([{"position": [0, 0, 0]}], r"cameras\.json: \[0\]: look_at is missing")
    told([TRUE.camera.model_dump(), 3], r"cameras\.json: \[1\]: ")
    assert isinstance(read_json(Path(tmp_path / "cameras.json")), list)


def test_bounds_as_the_command_line_has_them():
    given = ["objects[0].radius=0.1:2", "background=:3", "camera.position=-1:"]
    inf = float("inf")
    assert parsed_bounds(given) == {
        "objects[0].radius": (0.1, 2.0),
        "background": (-inf, 3.0),
        "camera.position": (-1.0, inf),
    }
    for wrong in ("background", "background=3", "=1:2", "background=a:b", "background:1=2"):
        with pytest.raises(InputError, match="must be NAME=LOW:HIGH"):
            parsed_bounds([wrong])
