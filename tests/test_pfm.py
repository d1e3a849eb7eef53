"""Portable float maps keep every bit."""

import numpy as np
import pytest

from luxel import InputError
from luxel.files.pfm import decode_pfm, encode_pfm

PIXELS = np.random.default_rng(0).random((3, 5, 3), np.float32)


def test_what_is_written_is_read_to_the_bit():
    content = encode_pfm(PIXELS)
    assert content.startswith(b"PF\n5 3\n-1.0\n")
    assert content[-12:] == PIXELS[0, 4].tobytes()  # the file ends with the top row's last pixel
    found = decode_pfm(content, "it")
    np.testing.assert_array_equal(found, PIXELS)
    assert found.dtype == np.float32


def test_the_order_of_bytes_is_the_sign_of_the_scale():
    content = b"PF 5 3 1\n" + PIXELS[::-1].astype(">f4").tobytes()
    np.testing.assert_array_equal(decode_pfm(content, "it"), PIXELS)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no portable float map of RGB, which begins with PF, width, height and scale"),
        (encode_pfm(PIXELS).replace(b"PF", b"Pf"), "is no portable float map"),
        (encode_pfm(PIXELS)[:-1], "has 179 bytes of pixels, must have 5×3 of 12, at least one"),
        (b"PF\n0 3\n-1.0\n", "has 0 bytes of pixels, must have 0×3 of 12, at least one"),
    ],
)
def test_what_is_none_is_told(content, told):
    with pytest.raises(InputError, match=f"^it: {told}"):
        decode_pfm(content, "it")
