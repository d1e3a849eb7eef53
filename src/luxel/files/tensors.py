"""Tensors in safetensors files that carry their own SHA-256, so that a flipped bit is found when they are read."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from luxel import InputError
from luxel.files.atomic import write_atomically

CHECKSUM = "sha256"
"""The metadata's entry; files from before there was one have none."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write the file atomically, with the checksum in its metadata."""
    contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    told = dict(metadata or {})
    write_atomically(path, in_order(save(contiguous, metadata={**told, CHECKSUM: digest(contiguous, told)})))


def read_tensors(path: Path, remedy: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata. Raises InputError, naming the file, if it cannot be read or is not what was written."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            metadata = dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be read as tensors: {error}; {remedy}") from error
    written = metadata.pop(CHECKSUM, None)
    if written is not None and written != digest(tensors, metadata):
        raise InputError(f"{path}: damaged, its SHA-256 is not the one that was written; {remedy}")
    return tensors, metadata


def in_order(content: bytes) -> bytes:
    """A safetensors file with its metadata sorted, which safetensors writes in an order of chance."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # as the format has it, so that tensors are aligned
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


def digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """SHA-256 over names, types, shapes and bytes of the tensors, and over the metadata: 64 hexadecimal digits."""
    sha = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        sha.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        sha.update(value.reshape(-1).view(torch.uint8).numpy().data)
    for name, text in sorted(metadata.items()):
        sha.update(f"{name}\n{text}\n".encode())
    return sha.hexdigest()
