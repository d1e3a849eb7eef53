"""Files that are either whole or not there."""

import hashlib
import os
from pathlib import Path

PARTIAL = ".partial"  # the ending of a file that is still being written


def write_atomically(path: Path, content: bytes) -> None:
    """Write through a file beside it, which takes its place once it is on the disk."""
    partial = path.with_name(path.name + PARTIAL)
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    if os.name == "posix":  # where a rename, too, lasts only once its folder is on the disk
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def checksum(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits; about 1 GB/s."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
