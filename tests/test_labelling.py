"""Labels beside a data set: what was chosen, for every scene, without a byte of the shards changed."""

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from data_folder import SETTINGS, write_data_folder

from luxel import InputError
from luxel.cli import main
from luxel.data import labelling as module
from luxel.data.annotations import annotate
from luxel.data.dataset import ShardDataset
from luxel.data.generate_settings import GenerateSettings
from luxel.data.label_files import ALL_LABELS, LabelChoice
from luxel.data.labelling import check_labels, write_labels
from luxel.data.manifest import DataError
from luxel.scene import Spheres

WIDTH, HEIGHT = 7, 5


@pytest.fixture
def data(tmp_path):
    """60 scenes in shards of 11, of both splits."""
    return write_data_folder(tmp_path / "data")


def contents(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.*") if path.is_file()}


def test_every_scene_has_its_own_labels(data):
    before = contents(data)
    write_labels(data, ALL_LABELS, progress=False)
    after = contents(data)
    assert {name: after[name] for name in before} == before
    for split, index in (("train", 0), ("train", 23), ("test", 12)):
        dataset = ShardDataset(data, split)
        labels, expected = dataset.labels(index), annotate(dataset.scene(index), WIDTH, HEIGHT)
        for name in ("depth", "normal", "albedo", "object_number"):
            np.testing.assert_array_equal(labels.arrays[name], getattr(expected, name))
        np.testing.assert_array_equal(labels.arrays["visible"], np.round(expected.visible * 255))
        assert labels.document["key"] == f"{index:06d}"
        assert labels.document["objects"][0]["amodal_box"] == expected.amodal_box[0].tolist()


@pytest.mark.parametrize(
    ("choice", "arrays", "of_an_object"),
    [
        (LabelChoice(boxes=True), set(), {"visible_box", "whole_box", "box_corners"}),
        (LabelChoice(depth=True, normals=True), {"depth", "normal"}, set()),
        (LabelChoice(masks=True), {"visible", "amodal", "object_number"}, {"visible_mask", "visible_area"}),
    ],
    ids=lambda given: " ".join(given.chosen) if isinstance(given, LabelChoice) else None,
)
def test_what_is_not_chosen_is_not_there(choice, arrays, of_an_object, data):
    write_labels(data, choice, progress=False)
    labels = ShardDataset(data, "test").labels(3)
    assert labels.arrays.keys() == arrays
    told = labels.document["objects"][0].keys()
    assert told >= {"shape", *of_an_object}
    assert ("visible_box" in told, "visible_mask" in told) == (choice.boxes, choice.masks)
    assert {"intrinsics", "camera_from_world", "scene"} <= labels.document.keys()


def test_after_a_cut_only_what_is_missing_is_made_and_the_bytes_are_the_same(data, monkeypatch):
    choice, calls = LabelChoice(masks=True), []
    write_labels(data, choice, progress=False)
    whole = contents(data)
    for path in (data / "labels").iterdir():
        path.unlink()
    (data / "labels").rmdir()

    def counted(*arguments):
        calls.append(arguments)
        if len(calls) == 14:
            raise KeyboardInterrupt
        return annotate(*arguments)

    monkeypatch.setattr(module, "annotate", counted)
    with pytest.raises(KeyboardInterrupt):
        write_labels(data, choice, progress=False)
    write_labels(data, choice, progress=False)
    assert len(calls) == 14 + SETTINGS.count - 11, "the first shard's labels were whole"
    assert contents(data) == whole
    calls.clear()
    write_labels(data, choice, progress=False)
    assert not calls


def test_what_others_wrote_before_the_lock_was_taken_is_not_written_again(data, monkeypatch):
    choice, lock = LabelChoice(boxes=True), module.only_one
    calls = []

    def taken_after_another(folder):
        monkeypatch.setattr(module, "only_one", lock)
        write_labels(data, choice, progress=False)
        monkeypatch.setattr(module, "annotate", lambda *arguments: calls.append(arguments))
        return lock(folder)

    monkeypatch.setattr(module, "only_one", taken_after_another)
    write_labels(data, choice, progress=False)
    assert not calls
    assert len(ShardDataset(data, "train").labels(0).document["objects"]) >= 1


def test_other_labels_that_came_before_the_lock_are_left_alone(data, monkeypatch):
    lock = module.only_one

    def taken_after_another(folder):
        monkeypatch.setattr(module, "only_one", lock)
        write_labels(data, LabelChoice(boxes=True), progress=False)
        return lock(folder)

    monkeypatch.setattr(module, "only_one", taken_after_another)
    with pytest.raises(InputError, match="holds another set of labels"):
        write_labels(data, LabelChoice(depth=True), progress=False)


def test_other_labels_are_left_alone_and_told_before_anything_is_traced(data):
    write_labels(data, LabelChoice(masks=True), progress=False)
    for ask in (check_labels, write_labels):
        with pytest.raises(InputError) as error:
            ask(data, LabelChoice(masks=True, depth=True))
        assert str(error.value).splitlines() == [
            f"{data / 'labels'}: holds another set of labels; choose another --out, or delete it",
            "labels: the folder has masks, asked for is masks depth",
        ]
    check_labels(data, LabelChoice())
    with pytest.raises(InputError, match="no labels are chosen; choose some of masks, depth, normals, albedo, boxes"):
        write_labels(data, LabelChoice())


def test_the_command_traces_and_labels_and_labels_what_is_traced(tmp_path, capsys):
    few = ["generate", "spheres", "--count", "3", "--width", "7", "--height", "5", "--spp", "2", "--test-share", "0"]

    def call(*more):
        with pytest.raises(SystemExit) as end:
            main([*few, "--out", str(tmp_path / "data"), *more])
        return end.value.code, capsys.readouterr()

    assert call("--max-objects", "3")[0] == 0
    traced = contents(tmp_path / "data")
    with pytest.raises(DataError, match=r"labels/train-00000\.tar: the labels are missing; generate again .* --masks"):
        ShardDataset(tmp_path / "data", "train").labels(0)
    code, told = call("--max-objects", "3", "--depth", "--boxes")
    assert (code, told.out) == (0, f"3 scenes in {tmp_path / 'data'}, labelled: depth, boxes\n")
    assert "tracing" not in told.err
    labelled = contents(tmp_path / "data")
    assert {name: labelled[name] for name in traced} == traced
    assert labelled.keys() - traced.keys() == {"labels/labels.json", "labels/train-00000.tar"}
    assert json.loads(labelled["labels/labels.json"])["labels"] == "depth boxes"
    assert ShardDataset(tmp_path / "data", "train").labels(2).arrays["depth"].shape == (5, 7)


@dataclass(frozen=True)
class Deep(Spheres):
    """With a field of a label's name, which would be one option for both."""

    depth: int = 3
    name: ClassVar[str] = "deep"


def test_a_distributions_fields_have_other_names():
    with pytest.raises(InputError, match="distribution deep has a field depth, as a data set has"):
        GenerateSettings(Deep())
