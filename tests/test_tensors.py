"""Tensors come back to the bit, or the file is said to be damaged."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from luxel import InputError
from luxel.files.tensors import CHECKSUM, read_tensors, write_tensors

TENSORS = {
    "scalar": torch.tensor(3),
    "half": torch.tensor([1.0, torch.inf], dtype=torch.bfloat16),
    "strided": torch.arange(35.0).reshape(5, 7).T,
    "empty": torch.zeros(0, 3),
    "flags": torch.tensor([True, False]),
}


@pytest.fixture
def path(tmp_path):
    write_tensors(tmp_path / "some.safetensors", TENSORS, {"step": "7"})
    return tmp_path / "some.safetensors"


def test_what_is_written_is_read(path):
    tensors, metadata = read_tensors(path, "")
    torch.testing.assert_close(tensors, TENSORS, rtol=0, atol=0)
    assert metadata == {"step": "7"}


def test_every_flipped_bit_is_found(path):
    """In the payload, or in the header's names, shapes and metadata; but for the names of the entry itself."""
    whole = path.read_bytes()
    payload = len(whole) - sum(value.nbytes for value in TENSORS.values())
    header = [whole.index(part) for part in (b'"7"', b"scalar", b"[5,7]" if b"[5,7]" in whole else b"[7,5]")]
    for place in (*range(payload, len(whole)), *(start + 1 for start in header)):
        for bit in (1, 8):
            content = bytearray(whole)
            content[place] ^= bit
            path.write_bytes(content)
            with pytest.raises(InputError, match=r"some\.safetensors: .*; make it anew"):
                read_tensors(path, "make it anew")


def test_the_same_tensors_have_the_same_bytes(path, tmp_path):
    write_tensors(tmp_path / "again.safetensors", dict(reversed(TENSORS.items())), {"step": "7"})
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_files_without_a_checksum_are_read(path):
    tensors, _ = read_tensors(path, "")
    save_file(tensors, path, {"step": "8"})
    assert read_tensors(path, "")[1] == {"step": "8"}


def test_the_checksum_is_in_the_metadata(path):
    with safe_open(path, framework="pt") as file:
        assert len(file.metadata()[CHECKSUM]) == 64


@pytest.mark.parametrize("content", [b"", b"junk", None])
def test_what_cannot_be_read_is_named(path, content):
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"some\.safetensors: cannot be read as tensors: .*; make it anew"):
        read_tensors(path, "make it anew")
