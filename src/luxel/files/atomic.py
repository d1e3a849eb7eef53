"""Files that are either whole or not there, and folders that one process at a time writes to."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from filelock import FileLock, Timeout

from luxel import InputError
from luxel.files.partial import partial_of

LOCK = ".lock"


class FolderInUse(InputError):
    """A folder that another process is writing to."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all; see `replacing`."""
    with replacing(path) as partial, partial.open("wb") as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """An empty file beside `path`, for the block to fill, that takes its place once it is on the disk.

    Whatever happens, `path` is the old file or a new one, whole; of several writers at once the last is left. Raises
    InputError, naming it, where the system refuses.
    """
    check_file(path)
    with writing(path, "make room, or allow it; what was there before is as it was"):
        with partial_of(path) as partial:
            yield partial
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            partial.replace(path)
        if os.name == "posix":  # where a rename, too, lasts only once its folder is on the disk
            sync_folder(path.parent)


def check_file(path: Path, example: str = "NAME") -> None:
    """Raise InputError for a path where no file can be: that of a folder, or below a file. For before long work."""
    if os.path.isdir(path):
        raise InputError(f"{path}: is a folder, but a file is to be written; name one in it, such as {path / example}")
    check_folder(path.parent)


def check_folder(path: Path) -> None:
    """Raise InputError for a path where no folder can be: that of a file, or below one. For before long work."""
    there = next((place for place in (path, *path.parents) if os.path.exists(place)), path)
    if os.path.isfile(there):
        which = "is" if there == path else f"{there} is"
        raise InputError(f"{path}: {which} a file, but a folder is meant; name another")


def make_folder_of(path: Path) -> None:
    """Make the folder that a file is to be written in, if need be. Raises InputError if that or the file cannot be."""
    check_file(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)


def check_writable(path: Path, example: str = "NAME") -> None:
    """Raise InputError unless the file can be begun now, in its folder or where that is to be. For before long work.

    An empty one is made there, and removed; what another process is writing is left alone.
    """
    check_file(path, example)
    # 8 random characters after the name make it as long as PARTIAL does, so that one too long is found.
    _try_to_write(path, path.parent, path.name)


def check_writable_folder(path: Path) -> None:
    """Raise InputError unless files can be written now in the folder, or where it is to be. For before long work."""
    check_folder(path)
    _try_to_write(path, path, path.name[8:])  # with the 8 random ones as long as the name, which may be too long


def _try_to_write(path: Path, folder: Path, prefix: str) -> None:
    """Make an empty file in the folder, or in the nearest above it that is there, and remove it. Raises InputError."""
    there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    with writing(path, "make room, or allow it, or name another place"), NamedTemporaryFile(dir=there, prefix=prefix):
        pass


@contextmanager
def writing(path: Path, consequence: str = "make room, or allow it, and repeat the command") -> Iterator[None]:
    """Within, an OSError (disk full, no permission) becomes an InputError that names `path`."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}; {consequence}") from error


def sync_folder(path: Path) -> None:
    """Wait until the folder's entries are on the disk."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep other processes from writing to the folder, which is made if need be; the lock of a killed one is void.

    Raises FolderInUse if another process is writing.
    """
    check_folder(folder)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, blocking=False)
        try:
            lock.acquire()
        except Timeout:
            raise FolderInUse(f"{folder}: another process is writing to it; wait for its end, or stop it") from None
    try:
        yield
    finally:
        lock.release()


def checksum(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits; about 1 GB/s."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
