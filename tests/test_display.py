import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import luxel
from luxel import InputError, Scene
from luxel.image.formats import to_bytes
from luxel.notebook import display
from luxel.notebook.display import Picture, renderer_of

SCENE = Scene.load(Path(__file__).parent.parent / "examples" / "scenes" / "still_life.json")


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_scene_shows_itself_and_is_rendered_once(monkeypatch):
    monkeypatch.setattr(display, "SIDE", 11)
    display.thumbnail.cache_clear()
    png = SCENE._repr_png_()
    np.testing.assert_array_equal(pixels(png), to_bytes(renderer_of("ray-small")(SCENE, 11)))
    assert SCENE.model_copy()._repr_png_() is png
    assert SCENE.with_material(0, base_color=(1, 0, 0))._repr_png_() != png
    monkeypatch.setattr(display, "MAX_SHOWN_OBJECTS", 2)
    assert SCENE.with_material(0, base_color=(0, 1, 0))._repr_png_() is None
    display.thumbnail.cache_clear()


def test_an_array_is_shown_under_its_tone_map():
    radiance = np.random.default_rng(0).gamma(1.0, 1.0, (5, 7, 3)).astype(np.float32)
    shown = luxel.show(radiance, tone="reinhard", exposure=-1.0)
    np.testing.assert_array_equal(pixels(shown._repr_png_()), to_bytes(radiance, "reinhard", -1.0))
    assert repr(shown).startswith("Picture(PNG of ")


def test_without_anywidget_a_scene_is_a_still_picture(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(display, "find_spec", lambda name: None if name == "anywidget" else found(name))
    shown = luxel.show(SCENE, width=9, height=5, spp=2)
    assert isinstance(shown, Picture)
    expected = renderer_of("ray-small")(SCENE, 9, 5, spp=2)
    np.testing.assert_array_equal(pixels(shown.png), to_bytes(expected))


@pytest.mark.parametrize(
    ("shown", "options", "message"),
    [
        ("scene.json", {}, r"^show: 'scene\.json' is neither a Scene nor an array of radiance \(Scene\.load reads"),
        (np.ones((3, 3), np.float32), {}, r"^show: the image is of shape \(3, 3\), must be"),
        (SCENE, {"width": 0}, r"^width is 0, must be an integer in \[1, 65536\]$"),
        (SCENE, {"spp": -1}, r"^spp is -1, must be"),
        (SCENE, {"tone": "film"}, r"^tone map 'film' is unknown"),
        (SCENE, {"exposure": 99.0}, r"^exposure is 99\.0, must be"),
        (SCENE, {"model": "nowhere"}, r"^nowhere is neither a folder nor a model that comes"),
    ],
)
def test_what_cannot_be_shown_is_told(shown, options, message):
    with pytest.raises(InputError, match=message):
        luxel.show(shown, **options)
