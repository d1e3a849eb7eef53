"""Frames of a movie on the disk: numbered .exr files, each of which tells what it is of, so that none is made twice."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from luxel import InputError
from luxel.files.atomic import LOCK, replacing
from luxel.files.exr import load_exr
from luxel.image.formats import Radiance, as_radiance, exr_attribute, write_exr

IDENTITY = "luxelFrame"
"""The attribute of an .exr, beside the picture, that holds its frame's identity."""


def frame_file(folder: Path, number: int, suffix: str = ".exr") -> Path:
    """Where a frame is kept; numbers begin at 0."""
    return folder / f"{number:05d}{suffix}"


def identity_of(**decided_by: object) -> str:
    """SHA-256, as 64 hexadecimal digits, of all that decides a frame, as JSON has it."""
    return hashlib.sha256(json.dumps(decided_by, sort_keys=True).encode()).hexdigest()


def is_made(path: Path, identity: str) -> bool:
    """Whether the file is the frame of this identity, and not cut off."""
    if not path.is_file() or exr_attribute(path, IDENTITY) != identity:
        return False
    try:
        load_exr(path)
    except InputError:
        return False
    return True


def write_frame(path: Path, radiance: Radiance, identity: str) -> None:
    """Write a frame, whole or not at all. Raises InputError."""
    checked = as_radiance(radiance, str(path))
    with replacing(path) as partial:
        write_exr(partial, checked, {IDENTITY: identity})


def remove_frames(folder: Path) -> None:
    """Remove all frames, also those that were cut off, and the folder if nothing else is in it."""
    for file in folder.glob("[0-9][0-9][0-9][0-9][0-9]*.exr*"):
        file.unlink()
    (folder / LOCK).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
