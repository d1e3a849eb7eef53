"""A sample's files."""

import numpy as np
from export_folders import by_hand_folder
from PIL import Image

from luxel.data.export.export import ExportSettings, export
from luxel.files.exr import load_exr


def test_a_stop_doubles_radiance(tmp_path):
    by_hand = by_hand_folder(tmp_path)
    for stops in (0.0, 1.0):
        export(by_hand, tmp_path / str(stops), ExportSettings("coco", exposure=stops), progress=False)
    dark, bright = (np.array(Image.open(tmp_path / f"{stops}/images/train/000000.png"), float) for stops in (0.0, 1.0))
    linear = load_exr(tmp_path / "0.0/radiance/train/000000.exr")
    assert (bright[linear >= 0.5] == 255).all()
    assert (bright >= dark).all()
