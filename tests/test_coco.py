"""COCO's layout of a scene made by hand, as pycocotools reads it."""

import json

import numpy as np
import pytest
from export_folders import HEIGHT, SCENE, WIDTH, by_hand_folder
from PIL import Image
from pycocotools.coco import COCO

from luxel.data.export.export import ExportSettings, export
from luxel.scene.description import Scene

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools' own


def test_it_is_what_pycocotools_reads(tmp_path):
    (tmp_path / "of").mkdir()
    by_hand, tmp_path = by_hand_folder(tmp_path / "of"), tmp_path / "coco"
    assert export(by_hand, tmp_path, ExportSettings("coco"), progress=False) == 1
    read = COCO(tmp_path / "annotations_train.json")
    cube, ball = read.loadAnns(read.getAnnIds(imgIds=[1]))
    names = {entry["id"]: entry["name"] for entry in read.loadCats(read.getCatIds())}
    assert [names[entry["category_id"]] for entry in (cube, ball)] == ["box", "sphere"]  # the third is out of sight
    # The near face is 40 / 3 pixels wide about the middle, from 23.33 to 36.67: it covers 2 / 3 of the pixels at its
    # edges, and 4 / 9, less than half, of the four at its corners.
    assert cube["bbox"] == [23, 13, 14, 14]
    masks = [read.annToMask(entry).astype(bool) for entry in (cube, ball)]
    assert [mask.sum() for mask in masks] == [cube["area"], ball["area"]]
    assert not (masks[0] & masks[1]).any()
    assert (masks[0] | masks[1])[13:27, 23:37].sum() == 14 * 14 - 4
    whole = read.annToMask({**cube, "segmentation": cube["amodal_segmentation"]}).astype(bool)
    assert whole.sum() == 14 * 14 - 4
    with np.load(tmp_path / "arrays/train/000000.npz") as arrays:
        assert arrays["depth"][20, 25] == pytest.approx(3, abs=1e-5)
    (picture,) = read.loadImgs([1])
    np.testing.assert_allclose(picture["intrinsics"], [[20, 0, 30], [0, 20, 20], [0, 0, 1]], atol=1e-12)
    with Image.open(tmp_path / picture["file_name"]) as image:
        assert image.size == (WIDTH, HEIGHT)
    labels = json.loads((tmp_path / "labels/train/000000.json").read_text())
    assert Scene.model_validate(labels["scene"]) == SCENE
    assert labels["objects"][2]["box_corners"] == [[None, None]] * 8
