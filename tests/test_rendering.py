"""A movie is rendered frame by frame, goes on after any end, and renders again what has changed alone."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from test_encode import decoded

from luxel import InputError, InputWarning
from luxel.files.exr import load_exr
from luxel.image.formats import to_bytes
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.movie import Film, MovieSettings, render_movie, turntable
from luxel.pipeline import Renderer
from luxel.scene import Camera, Material, Scene, Sphere

SCENE = Scene(
    objects=(
        Sphere(center=(0.3, 0, 0), radius=1, material=Material(base_color=(0.8, 0.3, 0.2))),
        Sphere(center=(-1, -1, 3), radius=0.5, material=Material(emission=(9, 9, 8))),
    ),
    camera=Camera(position=(0, -5, 1), look_at=(0, 0, 0)),
    background=(0.2, 0.3, 0.4),
)
FILM = turntable(SCENE, 4)
SMALL = MovieSettings(width=12, height=8, fps=10.0)


@pytest.fixture
def renderer() -> Renderer:
    torch.manual_seed(0)
    return Renderer(RayModel(RayModelConfig(width=8)))


@pytest.fixture
def rendered(renderer, monkeypatch) -> list[Any]:
    """The scenes that the renderer is asked for, in turn."""
    asked: list[Any] = []
    network = renderer.network

    def count(scenes: list[Scene], *sizes: int | None) -> Any:
        asked.extend(scenes)
        return network(scenes, *sizes)

    monkeypatch.setattr(renderer, "network", count)
    return asked


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != ".lock"}


def test_a_movie_shows_what_the_renderer_does(renderer, tmp_path: Path):
    out = tmp_path / "round.mp4"
    render_movie(renderer, FILM, out, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["round.mp4"], "its frames are gone"
    told, shown = decoded(out, 12, 8)
    assert (" 10 fps" in told, len(shown)) == (True, 4)
    expected = np.stack([to_bytes(renderer(scene, 12, 8)) for scene in FILM])
    assert np.abs(shown.astype(int) - expected).mean() < 6, "of 255: colours are of 2 × 2 pixels"


def test_pictures_are_numbered_and_of_one_exposure(renderer, tmp_path: Path):
    settings = MovieSettings(width=12, height=7, exposure=1.0, tone_map="reinhard")
    render_movie(renderer, FILM, tmp_path / "png", settings, pictures="png")
    render_movie(renderer, FILM, tmp_path / "exr", MovieSettings(width=12, height=7), pictures="exr")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exr", "png"]
    for number, scene in enumerate(FILM):
        radiance = renderer(scene, 12, 7)
        assert (load_exr(tmp_path / "exr" / f"0000{number}.exr") == radiance).all()
        shown = np.asarray(Image.open(tmp_path / "png" / f"0000{number}.png"))
        assert (shown == to_bytes(radiance, "reinhard", 1.0)).all()


class Killed(BaseException):
    """The end of a process, as far as a test can have it."""


def kill_third(blended: Any) -> Any:
    """A renderer's function that ends with its third call."""
    calls = itertools.count(1)

    def until(*arguments: Any, **options: Any) -> Any:
        if next(calls) == 3:
            raise Killed
        return blended(*arguments, **options)

    return until


@pytest.mark.parametrize(
    "settings", [SMALL, MovieSettings(width=12, height=8, spp=2, seed=3)], ids=["network", "paths"]
)
def test_a_movie_that_was_killed_goes_on_to_the_same_bytes(renderer, rendered, tmp_path: Path, settings):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    render_movie(renderer, FILM, whole, settings, pictures="exr")
    rendered.clear()
    with pytest.MonkeyPatch.context() as until:
        until.setattr(renderer, "blended", kill_third(renderer.blended))
        with pytest.raises(Killed):
            render_movie(renderer, FILM, cut, settings, pictures="exr")
    assert list(pictures(cut)) == ["00000.exr", "00001.exr"]
    render_movie(renderer, FILM, cut, settings, pictures="exr")
    assert rendered == [*FILM[:3], *FILM[2:]]
    assert pictures(cut) == pictures(whole)


def test_only_what_has_changed_is_rendered_again(renderer, rendered, tmp_path: Path):
    out = tmp_path / "a.mp4"

    def again(film: Film = FILM, settings: MovieSettings = SMALL) -> list[Scene]:
        rendered.clear()
        render_movie(renderer, film, out, settings, keep_frames=True)
        return list(rendered)

    assert again() == list(FILM)
    assert again() == []
    brighter = FILM[2].model_copy(update={"background": (1, 1, 1)})
    assert again(Film(4, lambda frame: brighter if frame == 2 else FILM[frame])) == [brighter]
    assert again() == [FILM[2]]
    assert again(settings=MovieSettings(width=12, height=8, fps=5.0, exposure=-1.0, seed=7)) == [], "a seed of no paths"
    assert again(settings=MovieSettings(width=8, height=8)) == list(FILM)
    with torch.no_grad():
        next(renderer.model.parameters()).add_(0.01)
    assert again(settings=MovieSettings(width=8, height=8)) == list(FILM), "of other weights"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "a.mp4.frames"]


def test_noise_holds_still_where_the_scene_does(renderer, tmp_path: Path):
    """As random numbers are those of pixels: what is moved far out of view changes the scene, but no picture."""
    far = [SCENE.model_copy(update={"objects": (*SCENE.objects, ball)}) for ball in map(out_of_view, (1, 2))]
    render_movie(renderer, far, tmp_path / "a", MovieSettings(width=8, spp=4), pictures="exr")
    first, second = (load_exr(tmp_path / "a" / f"0000{number}.exr") for number in (0, 1))
    own = [renderer(scene, 8, spp=4) for scene in far]
    assert np.abs(first - second).mean() < 0.05 * np.abs(own[0] - own[1]).mean()


def out_of_view(number: int) -> Sphere:
    return Sphere(center=(0, -5000.0 * number, 0), radius=0.01)


def test_a_longer_movie_before_is_told(renderer, tmp_path: Path):
    render_movie(renderer, FILM, tmp_path / "a", SMALL, pictures="exr")
    with pytest.warns(InputWarning, match=r"00003\.exr: is of a longer movie"):
        render_movie(renderer, FILM[:3], tmp_path / "a", SMALL, pictures="exr")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"path": "a.avi"}, "a.avi: movies end in .mp4; for a folder of pictures give --pictures png or exr"),
        ({"settings": MovieSettings(width=13)}, "width is 13, must be even in an .mp4"),
        ({"settings": MovieSettings(exposure=1.0), "pictures": "exr"}, "exposure and tone_map are not of .exr"),
        ({"scenes": []}, "no scenes: give at least one"),
        ({"path": "file/a.mp4"}, "file: is a file, but a folder is meant"),
    ],
)
def test_what_cannot_be_is_told_before_any_work(renderer, rendered, tmp_path: Path, monkeypatch, change, told):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine")
    arguments = {"scenes": FILM, "path": "a.mp4", "settings": SMALL} | change
    with pytest.raises(InputError) as error:
        render_movie(renderer, **arguments)
    assert told in str(error.value)
    assert not rendered
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_settings_are_checked():
    for wrong in ({"fps": 0.0}, {"tone_map": "filmic"}, {"spp": -1}, {"width": 0}):
        with pytest.raises(InputError, match=r"fps is 0|'filmic' is unknown|spp is -1|width is 0"):
            MovieSettings(**wrong)
