"""The orbiting view: its Python side, messages in and pictures out; and both sides, in a browser."""

import io
import json
import math
import time
from base64 import b64decode
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from browser import launched
from PIL import Image

import luxel
from luxel import Scene
from luxel.notebook.display import renderer_of
from luxel.notebook.orbit import Orbit

SCENE = Scene.load(Path(__file__).parent.parent / "examples" / "scenes" / "still_life.json")
SCRIPT = Path(luxel.__file__).parent / "notebook" / "widget.js"
SENT = ("azimuth_degrees", "elevation_degrees", "distance", "width", "height", "picture", "status")
LONG_S = 60.0
HOST = """
<!DOCTYPE html>
<div id="output"></div>
<script type="module">
  import widget from "/widget.js";
  const state = STATE, listeners = {};
  window.model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = changed[name] = value; },
    save_changes: () => { window.send(changed); changed = {}; },
    on: (event, listener) => { listeners[event] = listener; },
    off: (event) => { delete listeners[event]; },
    receive: (name, value) => { state[name] = value; listeners[`change:${name}`]?.(); },
  };
  let changed = {};
  window.end = widget.render({ model, el: document.getElementById("output") });
  window.listeners = listeners;
</script>
"""
"""A notebook as small as can be: a cell's output, and a model whose changes go to and come from the kernel."""
RULES = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; img-src https: http: data:"
"""For contents of a notebook: those of VS Code, the strictest."""


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


def pixels(picture: str) -> np.ndarray:
    """Of a data: URL."""
    start, _, jpeg = picture.partition(",")
    assert start == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(b64decode(jpeg)))).astype(int)


def test_it_begins_with_the_scene_as_it_is_and_refines_it(widget):
    assert widget.scene is SCENE
    shown = pixels(widget.picture)
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
    script = SCRIPT.read_text()
    state = widget.get_state()
    used = {word.split('"')[1] for word in script.replace("model.set(", "model.get(").split("model.get(")[1:]}
    assert used == set(SENT)
    assert used <= state.keys()


def test_a_saved_notebook_has_a_still_picture_and_a_short_text(widget):
    data, _ = widget._repr_mimebundle_()
    assert data["text/plain"] == "SceneWidget(17×13, ray-small and 4 spp)"
    assert pixels("data:image/jpeg;base64," + data["image/jpeg"]).shape == (13, 17, 3)
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id


def open_in(page, widget):
    """Show the widget on a page, and hand on from there to Python; from Python hands on `wait_for`."""
    state = json.dumps({name: getattr(widget, name) for name in SENT})
    answers = {"/": (HOST.replace("STATE", state), "text/html"), "/widget.js": (SCRIPT.read_text(), "text/javascript")}

    def answer(route):
        body, kind = answers[route.request.url.removeprefix("http://notebook")]
        route.fulfill(body=body, headers={"Content-Type": kind, "Content-Security-Policy": RULES})

    page.route("http://notebook/**", answer)
    page.expose_function("send", lambda changed: message(widget, **changed))
    page.goto("http://notebook/")
    page.wait_for_function("window.model")


def wait_for(page, widget, condition, what):
    """Let the page go on, with what the widget has for it, until a condition of it holds."""
    end, sent = time.monotonic() + LONG_S, {}
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"{what} did not come about"
        for name in ("picture", "status"):
            if sent.get(name) != (value := getattr(widget, name)):
                page.evaluate("([name, value]) => model.receive(name, value)", [name, value])
                sent[name] = value
        page.wait_for_timeout(20)


def test_in_a_browser_it_shows_the_scene_and_is_turned_and_approached():
    with launched() as browser, closing(luxel.show(SCENE, width=40, height=30, spp=8)) as widget:
        page = browser.new_page(viewport={"width": 200, "height": 100})
        broken = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda line: broken.append(line.text) if line.type == "error" else None)
        open_in(page, widget)
        refined = "document.querySelector('small').textContent.endsWith('and 8 spp')"
        is_whole = "document.querySelector('img').complete && document.querySelector('img').naturalWidth === 40"
        wait_for(page, widget, f"{refined} && {is_whole}", "the first picture with its paths")
        image = page.locator("img")
        first, start = image.screenshot(), Orbit.of(SCENE.camera)
        assert np.asarray(Image.open(io.BytesIO(first)).convert("RGB")).std() > 10
        box = image.bounding_box()
        assert (box["width"], box["height"]) == (40, 30)
        x, y = box["x"] + 10, box["y"] + 10

        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 10, y + 4, steps=3)
        page.mouse.move(x + 60, y + 6, steps=5)  # beyond its edge, as the hand holds it
        page.mouse.up()
        page.mouse.move(x, y, steps=2)  # and no longer
        turned = "model.get('status').endsWith('and 8 spp')"
        wait_for(page, widget, f"model.get('azimuth_degrees') < {start.azimuth_degrees - 29}", "the turn")
        widget.refinement.wait()
        wait_for(page, widget, f"{turned} && model.get('picture') === {json.dumps(widget.picture)}", "its picture")
        assert (widget.azimuth_degrees, widget.elevation_degrees, widget.distance) == pytest.approx(
            (start.azimuth_degrees - 30, start.elevation_degrees + 3, start.distance)
        )
        second = image.screenshot()
        assert second != first

        page.mouse.wheel(0, -100)
        wait_for(page, widget, f"model.get('distance') < {0.95 * start.distance}", "the approach")
        widget.refinement.wait()
        assert widget.distance == pytest.approx(start.distance * 1.001**-100)
        page.evaluate("window.end()")
        assert page.evaluate("Object.keys(listeners)") == []
        assert broken == []
