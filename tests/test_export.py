"""Exports: every layout says of a scene made by hand what it shows, is read by other programs, and can be resumed."""

import io
import json
import tarfile

import numpy as np
import pytest
from data_folder import write_data_folder
from PIL import Image
from pycocotools.coco import COCO

from luxel import InputError
from luxel.data.dataset import ShardDataset
from luxel.data.export import export as module
from luxel.data.export import loose
from luxel.data.export.export import ExportSettings, export
from luxel.data.generate import GenerateSettings, of_folder
from luxel.data.manifest import DataError, Manifest
from luxel.files.exr import load_exr
from luxel.scene import Spheres
from luxel.scene.clevr import Clevr
from luxel.scene.description import Box, Camera, Scene, Sphere

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools' own
# As in test_annotations: at 90° and 40 pixels the focal length is 20 pixels; the cube's near face is at depth 3.
CAMERA = Camera(position=(0, -4, 0), look_at=(0, 0, 0), vertical_fov_degrees=90)
WIDTH, HEIGHT = 60, 40
CUBE = Box(center=(0, 0, 0), half_extents=(1, 1, 1))
BALL, BEHIND = Sphere(center=(0.5, -2, 0), radius=0.4), Sphere(center=(0, -9, 0), radius=1)
SCENE = Scene(camera=CAMERA, objects=(CUBE, BALL, BEHIND), background=(1, 1, 1))


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    """A data set of one scene, for training."""
    folder = tmp_path_factory.mktemp("by_hand")
    (folder / "scenes").mkdir()
    SCENE.save(folder / "scenes" / "scene.json")
    settings = of_folder(str(folder / "scenes"), width=WIDTH, height=HEIGHT, spp=2, test_share=0.0)
    return write_data_folder(folder / "data", settings)


@pytest.fixture(scope="module")
def spheres(tmp_path_factory):
    """A data set of both splits."""
    settings = GenerateSettings(Spheres(max_objects=3), count=9, seed=3, width=7, height=5, spp=2, test_share=0.3)
    return write_data_folder(tmp_path_factory.mktemp("spheres"), settings)


def files(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_coco_is_what_pycocotools_reads(by_hand, tmp_path):
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


def test_webdataset_has_every_sample_in_files_of_one_stem(spheres, tmp_path):
    count = export(spheres, tmp_path, ExportSettings("webdataset", samples_per_tar=2), progress=False)
    data = ShardDataset(spheres, "train")
    assert count == len(data) + len(ShardDataset(spheres, "test")) == 9
    seen = []
    for path in sorted(tmp_path.glob("train-*.tar")):
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            assert {(member.mtime, member.uid, member.gid, member.uname) for member in members} == {(0, 0, 0, "")}
            seen += [(member.name, tar.extractfile(member).read()) for member in members]
    assert [name for name, _ in seen[:4]] == ["000000.png", "000000.exr", "000000.npz", "000000.json"]
    assert len(seen) == 4 * len(data)
    contents = dict(seen)
    (tmp_path / "one.exr").write_bytes(contents["000001.exr"])
    np.testing.assert_array_equal(load_exr(tmp_path / "one.exr"), data.batch([1]).radiance[0].numpy())
    arrays = np.load(io.BytesIO(contents["000001.npz"]))
    objects = len(data.scene(1).objects)
    assert {name: arrays[name].shape for name in ("visible", "amodal", "depth", "normal", "albedo")} == {
        "visible": (objects, 5, 7),
        "amodal": (objects, 5, 7),
        "depth": (5, 7),
        "normal": (5, 7, 3),
        "albedo": (5, 7, 3),
    }
    document = json.loads(contents["000001.json"])
    assert Scene.model_validate(document["scene"]) == data.scene(1)
    assert (document["split"], document["index"]) == ("train", 1)


def test_a_stop_doubles_radiance(by_hand, tmp_path):
    for stops in (0.0, 1.0):
        export(by_hand, tmp_path / str(stops), ExportSettings("coco", exposure=stops), progress=False)
    dark, bright = (np.array(Image.open(tmp_path / f"{stops}/images/train/000000.png"), float) for stops in (0.0, 1.0))
    linear = load_exr(tmp_path / "0.0/radiance/train/000000.exr")
    assert (bright[linear >= 0.5] == 255).all()
    assert (bright >= dark).all()


@pytest.mark.parametrize("layout", ["webdataset", "coco"])
def test_resumed_after_a_cut_the_files_are_the_same(spheres, tmp_path, monkeypatch, layout):
    settings = ExportSettings(layout, samples_per_tar=2)
    export(spheres, tmp_path / "whole", settings, progress=False)
    drawn = module.webdataset.Sample.document
    calls = []

    def cut(sample):
        calls.append(sample)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return drawn(sample)

    with monkeypatch.context() as patch:
        patch.setattr("luxel.data.export.sample.Sample.document", cut)
        with pytest.raises(KeyboardInterrupt):
            export(spheres, tmp_path / "cut", settings, progress=False)
    assert len(files(tmp_path / "cut")) < len(files(tmp_path / "whole"))
    begun = len(calls)
    with monkeypatch.context() as patch:
        patch.setattr("luxel.data.export.sample.Sample.document", lambda sample: calls.append(sample) or drawn(sample))
        export(spheres, tmp_path / "cut", settings, progress=False)
    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    assert len(calls) - begun == 9 - (2 if layout == "webdataset" else 3)


def test_splits_come_one_by_one_or_together(spheres, tmp_path):
    export(spheres, tmp_path / "all", ExportSettings("coco"), progress=False)
    for split in ("test", "train"):
        export(spheres, tmp_path / "each", ExportSettings("coco", split=split), progress=False)
    assert files(tmp_path / "each") == files(tmp_path / "all")


def test_what_cannot_be_exported_is_told(spheres, by_hand, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(InputError, match=r"mine: neither empty nor an export, export.json is missing; choose another"):
        export(spheres, tmp_path / "mine", ExportSettings("coco"))
    export(spheres, tmp_path / "there", ExportSettings("coco", split="test"), progress=False)
    with pytest.raises(InputError, match=r"holds another export.*\nexposure: the folder has 0.0, asked for is 1.0"):
        export(spheres, tmp_path / "there", ExportSettings("coco", exposure=1.0))
    with pytest.raises(DataError, match=r"not a data set, manifest\.json is missing"):
        export(tmp_path / "mine", tmp_path / "new", ExportSettings("coco"))
    with pytest.raises(InputError, match=r"train scene 0: objects\[0\] is Box\(.*\), none of the distribution clevr's"):
        export(by_hand, tmp_path / "new", ExportSettings("clevr"))
    with pytest.raises(DataError, match="has no test scenes"):
        export(by_hand, tmp_path / "new", ExportSettings("clevr", split="test"))
    assert not (tmp_path / "new").exists()


def test_of_an_unfinished_data_set_only_a_whole_split_is_exported(spheres, tmp_path):
    for shard in spheres.glob("test*.safetensors"):
        (tmp_path / shard.name).write_bytes(shard.read_bytes())
    there = Manifest.load(spheres)
    Manifest(there.settings, there.of("test"), ("test",)).save(tmp_path)
    assert export(tmp_path, tmp_path / "out", ExportSettings("coco", split="test"), progress=False) > 0
    with pytest.raises(DataError, match="of 9 scenes; generate again with the same settings"):
        export(tmp_path, tmp_path / "all", ExportSettings("coco"))


def test_a_damaged_document_is_told(by_hand, tmp_path):
    export(by_hand, tmp_path, ExportSettings("coco"), progress=False)
    (tmp_path / "annotations_train.json").unlink()
    (tmp_path / loose.file_of("train", "000000", ".json")).write_text("{")
    with pytest.raises(InputError, match=r"labels/train/000000.json: .*delete it, and export again"):
        export(by_hand, tmp_path, ExportSettings("coco"), progress=False)


def test_clevr_has_words_for_every_object(tmp_path):
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
