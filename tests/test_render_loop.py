"""The threads that make a tab's pictures; frames are waited for, not timed."""

import threading
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from viewer_scenes import BALL, SCENE

from luxel import InputError
from luxel.pipeline import Renderer
from luxel.trace.path import PathTracer
from luxel.viewer.render_loop import RenderLoop, View

LONG = 60.0
MOVED = SCENE.with_object(BALL, center=(0.5, 0, 0))


class Frames:
    """What was shown, tab by tab."""

    def __init__(self):
        self.shown, self.told = [], []
        self._changed = threading.Condition()

    def show(self, key, frame):
        with self._changed:
            self.shown.append((key, frame))
            self._changed.notify_all()

    def complain(self, key, message):
        with self._changed:
            self.told.append((key, message))
            self._changed.notify_all()

    def wait_for(self, condition):
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), LONG)

    def of(self, scene):
        return [frame for _, frame in self.shown if frame.view.scene == scene]


@pytest.fixture(scope="module")
def weights():
    return SimpleNamespace(renderer=Renderer.from_pretrained("ray-small"), fixed_side=None)


@pytest.fixture
def frames():
    return Frames()


@pytest.fixture
def loop(weights, frames):
    loop = RenderLoop(weights, frames.show, frames.complain, settle_s=0.0)
    yield loop
    loop.close()


def spp_of(frames):
    return [frame.spp for frame in frames]


def test_the_network_at_once_then_paths_up_to_what_is_asked_for(loop, frames, weights):
    loop.request("a", View(SCENE, 12, 8, 32))
    frames.wait_for(lambda it: any(frame.spp == 32 for frame in it.of(SCENE)))
    shown = frames.of(SCENE)
    whole = sorted((frame for frame in shown if frame.spp), key=lambda frame: frame.spp)
    assert spp_of(whole) == [4, 8, 16, 32]
    expected = list(islice(weights.renderer.progress(SCENE, 12, 8), 5))
    np.testing.assert_array_equal(shown[0].best, expected[0].radiance)
    for frame, step in zip(whole, expected[1:], strict=True):
        np.testing.assert_array_equal(frame.best, step.radiance)
        np.testing.assert_array_equal(frame.paths, step.paths)
        np.testing.assert_array_equal(frame.network, expected[0].radiance)
        assert frame.error == step.error
    truth = PathTracer().trace([SCENE], 12, 8, 1 << 12, seed=5).mean[0]
    assert np.sqrt(np.square(whole[-1].best - truth).mean()) < 3 * whole[-1].error


def test_what_is_shown_once_is_not_drawn_again(loop, frames):
    loop.request("a", View(SCENE, 12, 8, 0))
    frames.wait_for(lambda it: len(it.shown) == 2)  # small, which is its size already, and whole
    loop.request("a", View(SCENE, 12, 8, 0))
    loop.request("a", View(MOVED, 12, 8, 0))
    frames.wait_for(lambda it: len(it.of(MOVED)) == 2)
    assert len(frames.of(SCENE)) == 2


def test_of_several_changes_the_last_is_drawn(weights, frames):
    entered, go_on = threading.Event(), threading.Event()

    def show(key, frame):
        frames.show(key, frame)
        entered.set()
        go_on.wait(LONG)

    loop = RenderLoop(weights, show, frames.complain, settle_s=LONG)
    loop.request("a", View(SCENE, 12, 8, 0))
    assert entered.wait(LONG)
    for step in range(1, 6):
        loop.request("a", View(SCENE.with_object(BALL, radius=step / 10), 12, 8, 0))
    go_on.set()
    frames.wait_for(lambda it: len(it.shown) == 2)
    loop.close()
    assert [frame.view.scene.objects[BALL].radius for _, frame in frames.shown] == [0.8, 0.5]
    assert [frame.version for _, frame in frames.shown] == [1, 6]


def test_work_on_what_has_changed_is_given_up(loop, frames):
    loop.request("a", View(SCENE, 12, 8, 1 << 20))
    frames.wait_for(lambda it: any(frame.spp >= 8 for frame in it.of(SCENE)))
    loop.request("a", View(MOVED, 12, 8, 8))
    frames.wait_for(lambda it: any(frame.spp == 8 for frame in it.of(MOVED)))
    steps = len(frames.of(SCENE))
    loop.request("a", View(MOVED, 12, 8, 16))
    frames.wait_for(lambda it: any(frame.spp == 16 for frame in it.of(MOVED)))
    assert len(frames.of(SCENE)) == steps


def test_two_tabs_take_turns_and_one_that_closes_is_forgotten(loop, frames):
    loop.request("a", View(SCENE, 12, 8, 1 << 20))
    loop.request("b", View(MOVED, 8, 12, 1 << 20))
    frames.wait_for(lambda it: all(any(f.spp >= 16 for f in it.of(scene)) for scene in (SCENE, MOVED)))
    assert {key for key, frame in frames.shown if frame.view.scene == SCENE} == {"a"}
    loop.forget("a")
    loop.forget("never there")
    steps = len(frames.of(MOVED))
    frames.wait_for(lambda it: len(it.of(MOVED)) > steps + 1)


def test_after_a_change_of_both_no_tab_waits_for_all_paths_of_the_other(loop, frames):
    for key in "ab":
        loop.request(key, View(SCENE, 12, 8, 16))
    frames.wait_for(lambda it: spp_of(it.of(SCENE)).count(16) == 2)
    for key in "ab":
        loop.request(key, View(MOVED, 12, 8, 64))
    frames.wait_for(lambda it: spp_of(it.of(MOVED)).count(64) == 2)
    steps = [(frame.spp, key) for key, frame in frames.shown if frame.view.scene == MOVED and frame.spp]
    assert [spp for spp, _ in steps] == [4, 4, 8, 8, 16, 16, 32, 32, 64, 64]


def test_a_new_network_draws_all_anew(frames, weights):
    changing = SimpleNamespace(**vars(weights))
    loop = RenderLoop(changing, frames.show, frames.complain, settle_s=LONG)
    loop.request("a", View(SCENE, 12, 8, 0))
    frames.wait_for(lambda it: len(it.shown) == 1)
    changing.renderer = Renderer.from_pretrained("ray-base")
    loop.request_again()
    frames.wait_for(lambda it: len(it.shown) == 2)
    loop.close()
    np.testing.assert_array_equal(frames.shown[1][1].network, changing.renderer(SCENE, 12, 8))


class Refusing:
    """A renderer of all scenes but one."""

    def __init__(self, renderer):
        self.renderer = renderer

    def __call__(self, scene, width, height):
        if scene == SCENE:
            raise InputError("too large")
        return self.renderer(scene, width, height)


def test_what_fails_is_told_and_the_next_view_is_drawn(frames, weights):
    loop = RenderLoop(
        SimpleNamespace(renderer=Refusing(weights.renderer), fixed_side=None),
        frames.show,
        frames.complain,
        settle_s=LONG,
    )
    loop.request("a", View(SCENE, 12, 8, 0))
    frames.wait_for(lambda it: it.told == [("a", "too large")])
    loop.request("a", View(MOVED, 12, 8, 0))
    frames.wait_for(lambda it: len(it.of(MOVED)) == 1)
    loop.close()
