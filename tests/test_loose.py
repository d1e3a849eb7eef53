"""Samples as loose files, from which the layouts' own are put together."""

import pytest
from export_folders import by_hand_folder

from luxel import InputError
from luxel.data.export import loose
from luxel.data.export.export import ExportSettings, export


def test_a_damaged_document_is_told(tmp_path):
    (tmp_path / "of").mkdir()
    by_hand, tmp_path = by_hand_folder(tmp_path / "of"), tmp_path / "out"
    export(by_hand, tmp_path, ExportSettings("coco"), progress=False)
    (tmp_path / "annotations_train.json").unlink()
    (tmp_path / loose.file_of("train", "000000", ".json")).write_text("{")
    with pytest.raises(InputError, match=r"labels/train/000000.json: .*delete it, and export again"):
        export(by_hand, tmp_path, ExportSettings("coco"), progress=False)
