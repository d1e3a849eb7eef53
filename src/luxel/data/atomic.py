"""Files that are either whole or not there, and folders that one process at a time writes to."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from luxel import InputError

PARTIAL = ".partial"  # the ending of a file that is still being written
LOCK = ".lock"


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


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep other processes from writing to the folder. Raises InputError if one is doing so; a killed one is not."""
    lock = FileLock(folder / LOCK, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(f"{folder}: another process is writing to it; wait for its end, or stop it") from None
    try:
        yield
    finally:
        lock.release()


def checksum(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits; about 1 GB/s."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
