import subprocess
import sys
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
import torch
from PIL import Image

from luxel import InputError
from luxel.files.exr import load_exr
from luxel.image.formats import (
    as_radiance,
    check_image_file,
    exr_attribute,
    save_image,
    save_pixels,
    to_bytes,
    write_exr,
)

RADIANCE = np.random.default_rng(0).gamma(1.0, 3.0, (5, 7, 3)).astype(np.float32)


def test_exr_keeps_every_bit(tmp_path: Path):
    save_image(tmp_path / "deeper" / "image.exr", RADIANCE)
    np.testing.assert_array_equal(load_exr(tmp_path / "deeper" / "image.exr"), RADIANCE)


def test_png_holds_the_tone_mapped_bytes(tmp_path: Path):
    save_image(tmp_path / "image.png", RADIANCE, "reinhard")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "image.png")), to_bytes(RADIANCE, "reinhard"))


def test_display_values_are_written_as_they_are(tmp_path: Path):
    pixels = to_bytes(RADIANCE)
    save_pixels(tmp_path / "deeper" / "image.png", pixels)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "deeper" / "image.png")), pixels)


def test_bytes_of_known_radiance():
    image = np.array([[[0.0, 0.2159, 1.0], [2.0, -1.0, 0.0031308]]], dtype=np.float32)
    np.testing.assert_array_equal(to_bytes(image), [[[0, 128, 255], [255, 0, 10]]])


@pytest.mark.parametrize("name", ["image.exr", "image.png"])
def test_a_full_disk_is_one_line_with_the_file_and_leaves_what_was_there(tmp_path: Path, name):
    """A limit on the size of files stands for it, in a process of its own."""
    path = tmp_path / name
    save_image(path, RADIANCE)
    before = path.read_bytes()
    code = f"""
import resource
import numpy as np
from luxel import InputError
from luxel.image.formats import save_image
noise = np.random.default_rng(0).random((64, 64, 3), np.float32)
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
try:
    save_image({str(path)!r}, noise)
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{path}: cannot be written: ")
    assert done.stdout.count("\n") == 1
    assert "too large" in done.stdout
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {name: before}


def test_an_exr_keeps_what_is_told_beside_its_picture(tmp_path: Path):
    write_exr(tmp_path / "a.exr", RADIANCE, {"story": "of a\nframe"})
    assert exr_attribute(tmp_path / "a.exr", "story") == "of a\nframe"
    np.testing.assert_array_equal(load_exr(tmp_path / "a.exr"), RADIANCE)
    (tmp_path / "b.exr").write_bytes(b"no picture")
    for name, attribute in (("a.exr", "other"), ("a.exr", "type"), ("b.exr", "story"), ("none.exr", "story")):
        assert exr_attribute(tmp_path / name, attribute) is None


def test_another_suffix_is_refused():
    with pytest.raises(InputError, match=r"image\.gif.*\.exr"):
        check_image_file(Path("image.gif"))


@pytest.mark.parametrize(("name", "kind"), [("a.jpg", "JPEG"), ("a.JPEG", "JPEG"), ("a.webp", "WEBP")])
def test_lossy_pictures_are_near_the_tone_mapped_bytes(tmp_path: Path, name, kind):
    """A smooth ramp of a saturated red into white, 0 to 1 along a row."""
    ramp = np.linspace(0, 1, 29, dtype=np.float32)
    radiance = np.stack(np.broadcast_arrays(1.0, ramp, ramp[:, None] * 0 + ramp), axis=-1).astype(np.float32)
    save_image(tmp_path / name, radiance, exposure=-1.0)
    with Image.open(tmp_path / name) as image:
        assert image.format == kind
        shown = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(shown - to_bytes(radiance / 2)).max() <= 16
    assert np.abs(shown - to_bytes(radiance / 2)).mean() < 3


def test_more_pixels_than_a_webp_holds_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"a\.webp: is of 16384×1, a WEBP has at most 16383 a side; write a \.png"):
        save_image(tmp_path / "a.webp", np.ones((1, 16384, 3), np.float32))


def test_exposure_is_in_stops(tmp_path: Path):
    np.testing.assert_array_equal(to_bytes(RADIANCE, exposure=1.0), to_bytes(2 * RADIANCE))
    np.testing.assert_array_equal(to_bytes(RADIANCE, "reinhard", -3.0), to_bytes(RADIANCE / 8, "reinhard"))
    save_image(tmp_path / "image.png", RADIANCE, exposure=-2.0)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "image.png")), to_bytes(RADIANCE / 4))


@pytest.mark.parametrize(
    ("name", "exposure", "message"),
    [
        ("a.exr", 1.0, r"^exposure is 1\.0, but .*a\.exr holds radiance as it is; leave it out, or write a \.png$"),
        ("a.png", float("nan"), r"^exposure is nan, must be a number in \[-64, 64\]$"),
        ("a.png", 65.0, r"^exposure is 65\.0, must be a number in \[-64, 64\]$"),
    ],
)
def test_a_wrong_exposure_is_refused(name, exposure, message, tmp_path: Path):
    with pytest.raises(InputError, match=message):
        save_image(tmp_path / name, RADIANCE, exposure=exposure)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".exr"])
@pytest.mark.parametrize(
    ("wrong", "shown"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf"), (-0.5, "-0.5"), (-1e-4, "-0.0001")]
)
def test_what_is_no_radiance_is_refused_with_its_place(suffix, wrong, shown, tmp_path: Path):
    image = RADIANCE.copy()
    image[3, 5, 1] = wrong
    message = rf"image{suffix}: the image is {shown} at row 3, column 5, but radiance is finite and at least 0 \(of 105"
    with pytest.raises(InputError, match=message):
        save_image(tmp_path / f"image{suffix}", image)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (RADIANCE[0], r"of shape \(7, 3\), must be \[height, width, 3\]"),
        (RADIANCE[..., :1], r"of shape \(5, 7, 1\), must be"),
        (RADIANCE[:0], r"of shape \(0, 7, 3\), must be"),
        (RADIANCE.astype(np.uint8), "of uint8, must be an array of floating-point radiance"),
    ],
)
def test_what_is_no_image_is_refused(image, message, tmp_path: Path):
    with pytest.raises(InputError, match=message):
        save_image(tmp_path / "image.exr", image)


def test_radiance_of_any_precision_is_taken_and_rounding_errors_are_0(tmp_path: Path):
    tensor = torch.from_numpy(RADIANCE).double().requires_grad_()
    save_image(tmp_path / "image.exr", tensor)
    np.testing.assert_array_equal(load_exr(tmp_path / "image.exr"), RADIANCE)
    bright = np.array([[[1000.0, -1e-4, -6e-8]]], np.float32)
    np.testing.assert_array_equal(as_radiance(bright, "x"), [[[1000, 0, 0]]])


def test_what_is_no_exr_of_colours_is_refused_with_its_name(tmp_path: Path):
    with pytest.raises(InputError, match=r"none\.exr: there is no such file"):
        load_exr(tmp_path / "none.exr")
    for content in (b"", b"no picture", b"\x76\x2f\x31\x01"):
        (tmp_path / "damaged.exr").write_bytes(content)
        with pytest.raises(InputError, match=r"damaged\.exr: cannot be read as an OpenEXR file"):
            load_exr(tmp_path / "damaged.exr")
    grey = {"Y": np.ones((5, 7), np.float32)}
    with OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}, grey) as file:
        file.write(str(tmp_path / "grey.exr"))
    with pytest.raises(InputError, match=r"grey\.exr: has the channels Y, must have R, G and B"):
        load_exr(tmp_path / "grey.exr")
    alpha = {"RGBA": np.dstack([RADIANCE, np.ones((5, 7), np.float32)])}
    with OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}, alpha) as file:
        file.write(str(tmp_path / "alpha.exr"))
    np.testing.assert_array_equal(load_exr(tmp_path / "alpha.exr"), RADIANCE)
