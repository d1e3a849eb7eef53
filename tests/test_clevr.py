"""Scenes after CLEVR keep what its paper says."""

import math

import pytest

from luxel import InputError
from luxel.data.annotations import annotate
from luxel.scene import clevr
from luxel.scene.clevr import MIN_PIXELS, Clevr
from luxel.scene.description import Box, Panel, Plane
from luxel.scene.stage import COLORS
from luxel.scene.visible_pixels import visible_pixels

SCENES = [Clevr()(5, index) for index in range(12)]


def things(scene):
    return [item for item in scene.objects if not isinstance(item, Plane | Panel)]


@pytest.mark.parametrize("scene", SCENES)
def test_objects_are_apart_on_the_ground_and_of_the_eight_colors(scene):
    found = things(scene)
    assert 3 <= len(found) <= 10
    sizes = [round(item.scale[2] * (math.sqrt(2) if isinstance(item, Box) else 1), 3) for item in found]
    assert set(sizes) <= {0.35, 0.7}
    for number, one in enumerate(found):
        assert one.center[2] == one.scale[2]
        assert tuple(round(255 * part) for part in one.material.base_color) in COLORS.values()
        for other, size in zip(found[:number], sizes, strict=False):
            assert math.dist(one.center[:2], other.center[:2]) >= sizes[number] + size + 0.25 - 1e-9


def test_pixels_are_those_that_a_picture_shows():
    scene = SCENES[0]
    shown = annotate(scene, 320, 240).visible[: len(things(scene))].sum((1, 2))
    assert visible_pixels(things(scene), scene.camera) == pytest.approx(shown, rel=0.1)
    assert min(visible_pixels(things(scene), scene.camera)) >= MIN_PIXELS


def test_a_scene_is_a_function_of_seed_and_number():
    assert Clevr()(5, 3) == SCENES[3]
    assert Clevr()(6, 3) != SCENES[3]
    assert len(things(Clevr(max_objects=3)(1, 1))) == 3


def test_where_there_is_no_room_the_search_ends(monkeypatch):
    monkeypatch.setattr(clevr, "MIN_PIXELS", 50_000)
    monkeypatch.setattr(clevr, "ARRANGEMENTS", 7)
    told = "max_objects is 4: for the 3 of scene 1 of seed 0 there was no room in 7 tries, .*; give fewer"
    with pytest.raises(InputError, match=told):
        Clevr(max_objects=4)(0, 1)
