"""A picture's labels as files, of masks whose pixels are counted by hand."""

import io
import json
import math

import numpy as np
import pytest

from luxel.data.annotations import annotate
from luxel.data.label_files import ALL_LABELS, LabelChoice, arrays_of, as_bytes, document_of, finite, json_of, npz_of
from luxel.scene.description import Box, Camera, Plane, Scene, Sphere

# As in test_annotations: the cube's near face is 40 / 3 pixels wide about the middle of 60 × 40 pixels.
CAMERA = Camera(position=(0, -4, 0), look_at=(0, 0, 0), vertical_fov_degrees=90)
BEHIND, CUBE, BALL = (
    Box(center=(0, 6, 0), half_extents=(1, 1, 1)),
    Box(center=(0, 0, 0), half_extents=(1, 1, 1)),
    Sphere(center=(0, -9, 0), radius=1),
)
SCENE = Scene(camera=CAMERA, objects=(BEHIND, CUBE, BALL, Plane(center=(0, 0, -3), normal=(0, 0, 1))))


@pytest.fixture(scope="module")
def labels():
    return annotate(SCENE, 60, 40)


def test_of_what_is_hidden_or_behind_the_camera_nothing_is_seen(labels):
    hidden, cube, ball, plane = json.loads(json_of(document_of(SCENE, labels)))["objects"]
    assert (hidden["visible_area"], hidden["mask_box"], hidden["visible_box"]) == (0, [0] * 4, [0] * 4)
    assert hidden["amodal_box"] == [27, 17, 33, 23]  # its near face is 40 / 9 pixels wide, from 27.8 to 32.2
    assert hidden["whole_box"] == pytest.approx([30 - 20 / 9, 20 - 20 / 9, 30 + 20 / 9, 20 + 20 / 9])
    assert (cube["visible_area"], cube["mask_box"]) == (14 * 14 - 4, [23, 13, 14, 14])
    assert (ball["visible_area"], ball["amodal_box"], ball["whole_box"]) == (0, [0] * 4, [None] * 4)
    assert (plane["whole_box"], plane["box_half_extents"]) == ([None] * 4, [None] * 3)


def test_arrays_have_the_types_that_are_said(labels):
    arrays = np.load(io.BytesIO(npz_of(arrays_of(labels))))
    assert {name: (arrays[name].dtype.name, arrays[name].shape) for name in arrays} == {
        "visible": ("uint8", (4, 40, 60)),
        "amodal": ("uint8", (4, 40, 60)),
        "depth": ("float32", (40, 60)),
        "normal": ("float32", (40, 60, 3)),
        "albedo": ("float32", (40, 60, 3)),
        "object_number": ("int32", (40, 60)),
    }
    assert arrays["visible"][1, 20, 30] == arrays["amodal"][1, 20, 30] == 255
    assert (arrays["visible"][0, 20, 30], arrays["amodal"][0, 20, 30]) == (0, 255)
    assert arrays["object_number"][20, 30] == 1


def test_the_choice_names_its_labels():
    assert LabelChoice(boxes=True, depth=True).chosen == ["depth", "boxes"]
    assert LabelChoice().chosen == []
    assert ALL_LABELS.chosen == ["masks", "depth", "normals", "albedo", "boxes"]


def test_shares_and_numbers():
    assert as_bytes(np.float32([-0.1, 0, 0.5, 0.998, 1, 1.0001])).tolist() == [0, 0, 128, 254, 255, 255]
    assert finite([1.5, math.inf, -math.inf, math.nan]) == [1.5, None, None, None]
