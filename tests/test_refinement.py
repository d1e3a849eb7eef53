import threading

import numpy as np

from luxel import InputError
from luxel.notebook.refinement import Refinement, Request
from luxel.pipeline import Progress, Renderer
from luxel.scene import Camera, Scene, Sphere


class Doubling(Renderer):
    """A renderer whose picture is all `width`; it waits at 4 spp if it is told to, and fails for a width of 13."""

    def __init__(self):
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def progress(self, scene, width, height):
        if width == 13:
            raise InputError("too unlucky")
        for spp in (0, 4, 8, 16, 32, 64):
            if spp == 8:
                self.reached.set()
                assert self.go_on.wait(60)
            yield Progress(np.full((height, width, 3), width, np.float32), spp, 0.0)


SCENE = Scene(objects=(Sphere(center=(0, 0, 0), radius=1),), camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)))


def refinement(renderer):
    shown, told = [], []
    made = Refinement(
        renderer, lambda scene, progress: shown.append((progress.radiance.shape[1], progress.spp)), told.append
    )
    return made, shown, told


def test_pictures_get_better_until_they_are_good_enough():
    made, shown, told = refinement(Doubling())
    made.ask(Request(SCENE, 3, 2, 20))
    made.wait()
    assert shown == [(3, 0), (3, 4), (3, 8), (3, 16), (3, 32)]
    made.ask(Request(SCENE, 5, 2, 0))
    made.wait()
    assert shown[5:] == [(5, 0)]
    assert told == []


def test_what_is_asked_for_later_goes_first_and_what_lay_between_is_skipped():
    renderer = Doubling()
    renderer.go_on.clear()
    made, shown, _ = refinement(renderer)
    made.ask(Request(SCENE, 3, 2, 64))
    assert renderer.reached.wait(60)
    made.ask(Request(SCENE, 5, 2, 4))
    made.ask(Request(SCENE, 7, 2, 4))
    renderer.go_on.set()
    made.wait()
    assert shown == [(3, 0), (3, 4), (3, 8), (7, 0), (7, 4)]


def test_a_stop_ends_it():
    renderer = Doubling()
    renderer.go_on.clear()
    made, shown, _ = refinement(renderer)
    made.ask(Request(SCENE, 3, 2, 64))
    assert renderer.reached.wait(60)
    made.stop()
    renderer.go_on.set()
    made.wait()
    assert shown == [(3, 0), (3, 4), (3, 8)]


def test_an_error_is_told_and_the_next_scene_is_shown():
    made, shown, told = refinement(Doubling())
    made.ask(Request(SCENE, 13, 2, 4))
    made.wait()
    assert (shown, told) == ([], ["too unlucky"])
    made.ask(Request(SCENE, 3, 2, 0))
    made.wait()
    assert shown == [(3, 0)]
