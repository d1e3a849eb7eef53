"""The viewer as a user has it: in a browser without a window, whose mouse and keys are used."""

import io
import math
import time
from dataclasses import replace

import numpy as np
import pytest
from browser import launched
from PIL import Image
from viewer_scenes import BALL, SCENE

from luxel.files.exr import load_exr
from luxel.image.formats import to_bytes
from luxel.scene.description import Scene
from luxel.trace.path import PathTracer
from luxel.viewer.address import free_port
from luxel.viewer.app import Viewer
from luxel.viewer.document import Document
from luxel.viewer.panels.picture_panel import Settings
from luxel.viewer.weights import Weights

LONG_S = 120.0
SIDE = 64
WINDOW = {"width": 640, "height": 320}
ARROW_PIXELS = 70
"""From an object's middle, along the gizmo's x axis."""


@pytest.fixture
def viewer(tmp_path):
    SCENE.save(tmp_path / "a.json")
    port = free_port("127.0.0.1", 8100)
    document = Document.open(tmp_path / "a.json")
    viewer = Viewer(document, Weights("ray-small"), "127.0.0.1", port, Settings(height=SIDE, most_paths=64))
    yield viewer
    viewer.close()


@pytest.fixture(scope="module")
def chromium():
    with launched() as browser:
        yield browser


@pytest.fixture
def browser(chromium):
    """Without a tab."""
    yield chromium
    for context in chromium.contexts:
        context.close()


def wait_for(page, condition, what):
    """Let the page go on until a condition of the viewer holds."""
    end = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < end, f"{what} did not come about"
        page.wait_for_timeout(20)


def frame(viewer):
    """Of the only tab."""
    (tab,) = viewer._tabs.values()
    return tab.frame


def seen_by(viewer):
    """The camera of the only tab's frame."""
    return frame(viewer).view.scene.camera


def is_done(viewer, scene):
    """Whether the only tab shows the scene as wide as its canvas is by now, with all the paths that it is to have."""
    if len(viewer._tabs) != 1 or (now := frame(viewer)) is None:
        return False
    width, height = canvas_size(viewer)
    fits = now.best.shape[1] == round(SIDE * width / height)
    return fits and now.spp == 64 and now.view.scene.objects == scene.objects


def canvas_size(viewer):
    """Of the only tab: the window, without the panel."""
    (tab,) = viewer._tabs.values()
    return tab.client.camera.image_width, tab.client.camera.image_height


def canvas(page, viewer):
    """What the browser shows of the picture: its lower half, where no messages are, in the picture's pixels."""
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB").crop((0, 0, *canvas_size(viewer)))
    height, width, _ = frame(viewer).best.shape
    return np.asarray(shot.resize((width, height), Image.Resampling.BOX))[height // 2 :]


def is_red(page, x, y):
    """Whether the browser shows a handle of the x axis there, which nothing in the scene is as red as."""
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    red, green, _ = shot.getpixel((round(x), round(y)))
    return red > 2 * green


def rms(a, b):
    return float(np.sqrt(np.square(a.astype(np.float32) - b.astype(np.float32)).mean()))


def test_a_scene_is_seen_moved_saved_and_undone(viewer, browser, tmp_path):
    page = browser.new_page(viewport=WINDOW)
    page.goto(viewer.url)
    wait_for(page, lambda: viewer._tabs and canvas_size(viewer)[0] < WINDOW["width"], "the panel beside the picture")
    wait_for(page, lambda: is_done(viewer, SCENE), "a picture with all its paths")
    first = frame(viewer)
    height, width, _ = first.best.shape
    assert height == SIDE
    truth = PathTracer().trace([first.view.scene], width, height, 1 << 10, seed=7).mean[0]
    assert np.sqrt(np.square(first.best - truth).mean()) < 2 * first.error
    wait_for(page, lambda: rms(canvas(page, viewer), to_bytes(truth)[SIDE // 2 :]) < 3, "the truth in the browser")

    x, y = (side // 2 for side in canvas_size(viewer))
    page.mouse.click(x, y)
    wait_for(page, lambda: viewer.document.selected == BALL, "the ball's selection")
    wait_for(page, lambda: is_red(page, x + ARROW_PIXELS, y), "the gizmo")
    page.mouse.move(x + ARROW_PIXELS, y)
    page.mouse.down()
    for step in range(1, 7):
        page.mouse.move(x + ARROW_PIXELS + 10 * step, y)
    page.mouse.up()
    wait_for(page, lambda: viewer.document.scene.objects[BALL].center[0] > 0.3, "the ball's way to the right")
    wait_for(page, lambda: not viewer._gizmo._is_dragged, "the drag's end")
    wait_for(page, lambda: is_done(viewer, viewer.document.scene), "the moved ball's picture")
    moved = frame(viewer)
    center = viewer.document.scene.objects[BALL].center
    assert abs(center[1]) < 0.01
    assert abs(center[2]) < 0.01
    assert rms(to_bytes(moved.best), to_bytes(first.best)) > 10

    page.get_by_role("tab", name="File").click()
    page.get_by_role("button", name="Save scene").click()
    wait_for(page, lambda: viewer.document.is_saved, "the file")
    assert Scene.load(tmp_path / "a.json").objects[BALL].center == center
    page.get_by_role("button", name="Save radiance, EXR").click()
    wait_for(page, (tmp_path / "a.exr").exists, "the picture's file")
    np.testing.assert_array_equal(load_exr(tmp_path / "a.exr"), moved.best)

    page.keyboard.press("Control+z")
    wait_for(page, lambda: viewer.document.scene == SCENE, "the undoing")
    other = browser.new_page(viewport=WINDOW)
    other.goto(viewer.url)
    wait_for(other, lambda: len(viewer._tabs) == 2, "another tab")
    wait_for(other, lambda: all(tab.frame is not None for tab in viewer._tabs.values()), "its picture")
    page.close()
    wait_for(other, lambda: len(viewer._tabs) == 1, "the first tab's end")
    wait_for(other, lambda: frame(viewer).network.shape == first.network.shape, "the panel beside the other picture")
    wait_for(other, lambda: is_done(viewer, SCENE), "the other tab's picture")
    np.testing.assert_allclose(frame(viewer).network, first.network, atol=1e-3)


def test_an_orthographic_scene_is_seen_and_its_ball_sized_by_a_knob(viewer, browser):
    page = browser.new_page(viewport=WINDOW)
    page.goto(viewer.url)
    wait_for(page, lambda: viewer._tabs and canvas_size(viewer)[0] < WINDOW["width"], "the panel beside the picture")
    extent = 2 * 5 * math.tan(math.radians(SCENE.camera.vertical_fov_degrees / 2))
    viewer.document.edit(SCENE.with_camera(projection="orthographic", vertical_extent=extent))
    wait_for(page, lambda: is_done(viewer, SCENE) and seen_by(viewer).is_orthographic, "the other projection's picture")
    near = pytest.approx(extent, abs=1e-3)
    wait_for(page, lambda: is_done(viewer, SCENE) and seen_by(viewer).vertical_extent == near, "the same framing")
    camera, found = seen_by(viewer), frame(viewer)
    np.testing.assert_allclose((*camera.position, camera.vertical_extent), (0, -5, 0, extent), atol=1e-3)
    height, width, _ = found.best.shape
    truth = PathTracer().trace([found.view.scene], width, height, 1 << 8, seed=7).mean[0]
    assert np.sqrt(np.square(found.best - truth).mean()) < 2 * found.error

    x, y = (side // 2 for side in canvas_size(viewer))
    page.mouse.click(x, y)
    wait_for(page, lambda: viewer.document.selected == BALL, "the ball's selection")
    pixel = extent / WINDOW["height"]
    left = x - 0.8 / pixel
    wait_for(page, lambda: is_red(page, left, y), "the knob")
    page.mouse.move(left, y)
    page.mouse.down()
    for step in range(1, 7):
        page.mouse.move(left - 5 * step, y)
    page.mouse.up()
    wait_for(page, lambda: viewer.document.scene.objects[BALL].radius > 0.8 + 29 * pixel, "a larger ball")
    wait_for(page, lambda: viewer._sizes._grab is None, "the drag's end")
    assert viewer.document.scene.objects[BALL].radius == pytest.approx(0.8 + 30 * pixel, abs=2 * pixel)
    viewer.document.undo()
    assert viewer.document.scene.objects == SCENE.objects


def type_in(page, field, text):
    """Replace what stands in an input."""
    field.click()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def test_numbers_are_typed_and_undone_by_keys(viewer, browser):
    viewer._set(replace(viewer.settings, most_paths=0))
    viewer.document.select(BALL)
    page = browser.new_page(viewport={"width": 640, "height": 640})
    page.goto(viewer.url)
    radius = page.locator("label:text-is('Radius') >> xpath=../../.. >> input")

    def has_radius(expected):
        return lambda: getattr(viewer.document.scene.objects[BALL], "radius", None) == expected

    wait_for(page, lambda: len(viewer._tabs) == 1 and frame(viewer) is not None, "the first frame")
    type_in(page, radius, "0.5")
    wait_for(page, has_radius(0.5), "the first number")
    page.keyboard.press("Control+z")
    wait_for(page, has_radius(0.8), "its undo")
    assert not viewer.document.can_undo
    type_in(page, radius, "0.4")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement === document.body")
    wait_for(page, has_radius(0.4), "the typed radius")
    page.keyboard.press("Control+z")
    wait_for(page, has_radius(0.8), "the scene's undo")
    wait_for(page, lambda: radius.input_value() == "0.8", "the input that follows")
    page.keyboard.press("Control+y")
    wait_for(page, has_radius(0.4), "the scene's redo")
    type_in(page, radius, "1e9")
    page.get_by_text("must be a number in [1e-6, 1e6]").wait_for()
    wait_for(page, has_radius(0.4), "the radius before")
    wait_for(page, lambda: radius.input_value() == "0.4", "its number in the input")
    page.locator("label:text-is('Shape') >> xpath=../../.. >> input").first.click()
    page.get_by_role("option", name="box").click()
    wait_for(page, lambda: viewer.document.scene.objects[BALL].shape == "box", "another shape")
    page.wait_for_function("document.activeElement === document.body")
    page.keyboard.press("Control+z")
    wait_for(page, has_radius(0.4), "the shape's undo")
    page.get_by_role("tab", name="File").click()
    name = page.locator("label:text-is('File') >> xpath=../../.. >> input")
    type_in(page, name, "b.json")
    page.keyboard.press("Control+z")
    page.wait_for_timeout(200)
    assert has_radius(0.4)()
