"""The Python side of the orbiting view, without a browser: its messages in, pictures out."""

import io
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import luxel
from luxel import Scene
from luxel.notebook.display import renderer_of

SCENE = Scene.load(Path(__file__).parent.parent / "examples" / "scenes" / "still_life.json")


@pytest.fixture
def widget():
    made = luxel.show(SCENE, width=17, height=13, spp=4)
    made.refinement.wait()
    yield made
    made.close()
    made.refinement.wait()


def message(widget, **state):
    """What the browser's `model.save_changes()` makes the kernel call."""
    widget._handle_msg({"content": {"data": {"method": "update", "state": state, "buffer_paths": []}}, "buffers": []})


def test_it_begins_with_the_scene_as_it_is_and_refines_it(widget):
    assert widget.scene is SCENE
    shown = np.asarray(Image.open(io.BytesIO(widget.picture))).astype(int)
    assert shown.shape == (13, 17, 3)
    assert widget.status == "ray-small and 4 spp"
    *_, last = zip(range(2), renderer_of("ray-small").progress(SCENE, 17, 13), strict=False)
    expected = luxel.image.formats.to_bytes(last[1].radiance)
    assert np.abs(shown - expected).mean() < 4, "a JPEG of it"


def test_a_drag_in_the_browser_turns_the_camera_and_brings_a_picture(widget):
    before, pictures = widget.picture, []
    widget.observe(lambda change: pictures.append(change["new"]), "picture")
    start = np.array(SCENE.camera.position) - SCENE.camera.look_at
    message(widget, azimuth_degrees=widget.azimuth_degrees + 90)
    widget.refinement.wait()
    assert len(pictures) == 2, "the network's, and that with paths"
    assert widget.picture not in (before, pictures[0])
    turned = np.array(widget.scene.camera.position) - SCENE.camera.look_at
    np.testing.assert_allclose(turned, (-start[1], start[0], start[2]), atol=1e-9)
    assert widget.scene.objects == SCENE.objects


def test_what_is_sent_is_kept_in_range(widget):
    distance = widget.distance
    message(widget, elevation_degrees=200.0, distance=0.0)
    assert (widget.elevation_degrees, widget.distance) == (89.5, pytest.approx(distance / 100))
    widget.azimuth_degrees = math.nan
    assert math.isfinite(widget.azimuth_degrees)


def test_the_traits_that_the_browser_uses_are_synchronised(widget):
    script = (Path(luxel.__file__).parent / "notebook" / "widget.js").read_text()
    state = widget.get_state()
    used = {word.split('"')[1] for word in script.replace("model.set(", "model.get(").split("model.get(")[1:]}
    assert used == {"azimuth_degrees", "elevation_degrees", "distance", "width", "height", "picture", "status"}
    assert used <= state.keys()
