"""Radiance files: compressed rows by hand, exponents, what is cut off, and Mitsuba's reader and writer."""

import numpy as np
import pytest

from luxel import InputError
from luxel.files.radiance_hdr import decode_hdr, encode_hdr

HEAD = b"#?RADIANCE\n# a comment\nFORMAT=32-bit_rle_rgbe\nEXPOSURE=1\n\n"


def test_runs_by_hand():
    """Ten pixels: red 5 times 128 and then five different; green all 64; blue as it is, exponent 129, so of 1/128."""
    row = bytes([2, 2, 0, 10, 128 + 5, 128, 5, 1, 2, 3, 4, 5, 128 + 10, 64, 10, *range(10), 128 + 10, 129])
    found = decode_hdr(HEAD + b"-Y 2 +X 10\n" + row + row, "x.hdr")
    assert found.shape == (2, 10, 3)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0, :, 0] * 128 - 0.5, [128] * 5 + [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(found[0, :, 1] * 128 - 0.5, [64] * 10)
    np.testing.assert_array_equal(found[0, :, 2] * 128 - 0.5, range(10))


@pytest.mark.parametrize("size", [(3, 5), (7, 11), (2, 130)])
def test_what_is_written_is_read_to_eight_bits(size):
    """And what is black stays so."""
    pixels = np.random.default_rng(0).lognormal(0, 4, (*size, 3)).astype(np.float32)
    pixels[0, 1] = 0
    found = decode_hdr(encode_hdr(pixels), "x.hdr")
    assert (found[0, 1] == 0).all()
    largest = pixels.max(2, keepdims=True)
    assert (np.abs(found - pixels) <= largest / 256 + 1e-9).all()
    again = decode_hdr(encode_hdr(found), "x.hdr")
    np.testing.assert_array_equal(again, found)


def test_another_program_reads_and_writes_the_same(tmp_path):
    import mitsuba

    mitsuba.set_variant("scalar_rgb")
    pixels = np.random.default_rng(1).uniform(0, 3, (5, 17, 3)).astype(np.float32)
    path = tmp_path / "x.hdr"
    path.write_bytes(encode_hdr(pixels))
    theirs = np.array(mitsuba.Bitmap(str(path)).convert(component_format=mitsuba.Struct.Type.Float32))
    np.testing.assert_allclose(theirs, decode_hdr(path.read_bytes(), "x"), atol=3 / 256)
    mitsuba.Bitmap(pixels).write(str(tmp_path / "y.hdr"))
    np.testing.assert_allclose(decode_hdr((tmp_path / "y.hdr").read_bytes(), "y"), pixels, atol=4 / 256)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\x89PNG", "is no Radiance file"),
        (HEAD.replace(b"rgbe", b"xyze") + b"-Y 1 +X 1\nabcd", "its FORMAT is 32-bit_rle_xyze"),
        (HEAD + b"+X 1 -Y 1\nabcd", "its pixels are in the order '\\+X 1 -Y 1'"),
        (HEAD + b"-Y 0 +X 3\n", "is 3×0 pixels large"),
        (HEAD + b"-Y 2 +X 3\nabcd", "ends before its 3×2 pixels do"),
        (HEAD + b"-Y 1 +X 10\n" + bytes([2, 2, 0, 10, 130, 4]), "ends before its 10×1 pixels do"),
        (HEAD + b"-Y 1 +X 10\n" + bytes([2, 2, 0, 10, 255, 4, 0, 0]), "a run that does not end with its row"),
        (HEAD + b"-Y 2 +X 8\n" + bytes([2, 2, 0, 8, *[136, 4] * 4, 1, 1, 1, 1]), "a row that is not compressed"),
    ],
)
def test_what_is_no_such_file_is_told(content, told):
    with pytest.raises(InputError, match=f"^x.hdr: .*{told}"):
        decode_hdr(content, "x.hdr")
