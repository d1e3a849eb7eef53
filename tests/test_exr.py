import numpy as np
import OpenEXR
import pytest

from luxel import InputError
from luxel.files.exr import load_exr
from luxel.image.formats import save_image


def write(path, channels):
    header = {"compression": OpenEXR.NO_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, channels) as file:
        file.write(str(path))


def test_it_is_what_was_written_row_0_at_the_top(tmp_path):
    radiance = np.arange(5 * 7 * 3, dtype=np.float32).reshape(5, 7, 3)
    save_image(tmp_path / "a.exr", radiance)
    np.testing.assert_array_equal(load_exr(tmp_path / "a.exr"), radiance)


def test_alpha_is_left_out_and_half_floats_are_read(tmp_path):
    pixels = np.random.default_rng(0).random((3, 5, 4)).astype(np.float16)
    write(tmp_path / "a.exr", {"RGBA": pixels})
    found = load_exr(tmp_path / "a.exr")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, pixels[..., :3].astype(np.float32))


def test_what_is_none_is_told_with_the_file(tmp_path):
    with pytest.raises(InputError, match=r"gone\.exr: there is no such file"):
        load_exr(tmp_path / "gone.exr")
    (tmp_path / "text.exr").write_text("no picture")
    with pytest.raises(InputError, match=r"text\.exr: cannot be read as an OpenEXR file: .*; give a picture"):
        load_exr(tmp_path / "text.exr")
    write(tmp_path / "depth.exr", {"Z": np.ones((3, 5), np.float32)})
    with pytest.raises(InputError, match=r"depth\.exr: has the channels Z, must have R, G and B"):
        load_exr(tmp_path / "depth.exr")
