"""CLEVR's words, directions and relations, against values computed by hand."""

import json
import math

import numpy as np
import pytest
from data_folder import write_data_folder

from luxel import InputError
from luxel.data.export.clevr_scenes import directions, object_entry, relationships, scene_entry
from luxel.data.export.export import ExportSettings, export
from luxel.data.generate_settings import GenerateSettings
from luxel.scene.clevr import Clevr, things_in_words, words_of
from luxel.scene.description import Box, Camera, Material, Scene, Sphere
from luxel.scene.stage import COLORS, GROUND

# Looks along +y, and down by 45°; at 90° and 40 pixels the focal length is 20 pixels.
CAMERA = Camera(position=(0, -4, 4), look_at=(0, 0, 0), vertical_fov_degrees=90)
DOCUMENT = {"width": 60, "height": 40, "index": 3, "split": "test"}
CYAN = tuple(round(part / 255, 6) for part in COLORS["cyan"])
HALF = round(0.7 / math.sqrt(2), 6)
BALL = Sphere(center=(1, 1, 0.35), radius=0.35, material=Material(base_color=CYAN, roughness=0.7))
CUBE = Box(
    center=(0, 0, HALF),
    half_extents=(HALF,) * 3,
    rotation=(math.cos(math.radians(15)), 0, 0, math.sin(math.radians(15))),
    material=Material(base_color=CYAN, metallic=1.0, roughness=0.2),
)


def test_words():
    assert words_of(BALL) == ("sphere", "small", "cyan", "rubber")
    assert words_of(CUBE) == ("cube", "large", "cyan", "metal")
    for other in (GROUND, BALL.model_copy(update={"radius": 0.5}), BALL.model_copy(update={"material": Material()})):
        assert words_of(other) is None


def test_every_object_of_the_distribution_has_words():
    found = [words for index in range(8) for _, words in things_in_words(Clevr()(1, index), "scene")]
    assert len(set(found)) > 20


def test_directions_are_the_cameras_on_the_ground():
    along = {name: direction.tolist() for name, direction in directions(CAMERA).items()}
    assert along["right"] == pytest.approx([1, 0, 0])
    assert along["behind"] == pytest.approx([0, 1, 0])
    assert along["front"] == pytest.approx([0, -1, 0])
    assert along["left"] == pytest.approx([-1, 0, 0])


def test_relations_leave_out_what_is_level():
    centers = np.array([[0, 0, 0], [1, 0.1, 0], [-2, -3, 0]], float)
    found = relationships(centers, directions(CAMERA))
    assert found["right"] == [[1], [], [0, 1]]
    assert found["left"] == [[2], [0, 2], []]
    assert found["behind"] == [[], [], [0, 1]]
    assert found["front"] == [[2], [2], []]


def test_where_an_object_is():
    entry = object_entry(CUBE, words_of(CUBE), CAMERA, DOCUMENT)
    assert entry["rotation"] == pytest.approx(30)
    x, y, depth = entry["pixel_coords"]
    # The centre is HALF above the origin, which is √32 away in the picture's middle.
    up, expected = HALF / math.sqrt(2), math.sqrt(32) - HALF / math.sqrt(2)
    assert (x, y, depth) == pytest.approx((30, 20 - 20 * up / expected, expected))


def test_a_scene_of_another_kind_is_told_apart():
    scene = Scene(camera=CAMERA, objects=(CUBE, GROUND, Sphere(center=(0, 3, 1), radius=1)))
    with pytest.raises(
        InputError, match=r"^here: objects\[2\] is Sphere\(.*\), none of the distribution clevr's; take"
    ):
        things_in_words(scene, "here")
    entry = scene_entry({**DOCUMENT, "scene": scene.without(2).model_dump(mode="json")}, "x.png")
    assert (entry["split"], entry["image_index"], len(entry["objects"])) == ("test", 3, 1)


def test_every_object_of_an_export_has_words(tmp_path):
    settings = GenerateSettings(Clevr(max_objects=4), count=2, width=32, height=24, spp=2, test_share=0.0)
    write_data_folder(tmp_path / "data", settings)
    export(tmp_path / "data", tmp_path / "out", ExportSettings("clevr"), progress=False)
    scenes = json.loads((tmp_path / "out/scenes/CLEVR_train_scenes.json").read_text())
    assert scenes["info"]["split"] == "train"
    for index, entry in enumerate(scenes["scenes"]):
        assert (entry["image_index"], entry["image_filename"]) == (index, f"CLEVR_train_{index:06d}.png")
        assert (tmp_path / "out/images/train" / entry["image_filename"]).is_file()
        shapes = [item.shape.replace("box", "cube") for item in settings.scene(index).objects]
        assert [item["shape"] for item in entry["objects"]] == shapes[: len(entry["objects"])]
        assert all(0 <= x <= 32 and 0 <= y <= 24 for x, y, _ in (item["pixel_coords"] for item in entry["objects"]))
