from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from luxel import InputError
from luxel.image.formats import check_suffix, load_exr, save_image, to_bytes

RADIANCE = np.random.default_rng(0).gamma(1.0, 3.0, (5, 7, 3)).astype(np.float32)


def test_exr_keeps_every_bit(tmp_path: Path):
    save_image(tmp_path / "deeper" / "image.exr", RADIANCE)
    np.testing.assert_array_equal(load_exr(tmp_path / "deeper" / "image.exr"), RADIANCE)


def test_png_holds_the_tone_mapped_bytes(tmp_path: Path):
    save_image(tmp_path / "image.png", RADIANCE, "reinhard")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "image.png")), to_bytes(RADIANCE, "reinhard"))


def test_bytes_of_known_radiance():
    image = np.array([[[0.0, 0.2159, 1.0], [2.0, -1.0, 0.0031308]]], dtype=np.float32)
    np.testing.assert_array_equal(to_bytes(image), [[[0, 128, 255], [255, 0, 10]]])


def test_another_suffix_is_refused():
    with pytest.raises(InputError, match=r"image\.jpg.*\.exr"):
        check_suffix(Path("image.jpg"))
