"""Files that are still being written, beside those whose place they will take: each is one writer's.

A writer holds its file's lock (flock), which is void once it has ended, killed or not: so what a killed one has left is
told from what another is writing, and removed. Windows does not remove a file that is open, which is as good.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

PARTIAL = ".partial"
"""The ending of a file that is still being written."""


@contextmanager
def partial_of(path: Path) -> Iterator[Path]:
    """An empty file beside `path`, no other writer's, for the block to fill and to move; if the block fails, it goes.

    It is NAME.partial or, while others write that, NAME.1.partial, NAME.2.partial … Raises OSError.
    """
    names = (f"{path.name}.{number}{PARTIAL}" if number else path.name + PARTIAL for number in count())
    begun = ((partial, _begun(partial)) for partial in map(path.with_name, names))
    partial, file = next((partial, file) for partial, file in begun if file is not None)
    try:
        yield partial
    except BaseException:
        with suppress(OSError):
            if os.name == "nt" or _is_at(file, partial):  # what has been moved leaves its name to the next writer
                partial.unlink()
        raise
    finally:
        file.close()


def _begun(partial: Path) -> BinaryIO | None:
    """The new file, locked; None if another writer has it. What lies in its way is removed, and no link followed."""
    while True:
        try:
            file = partial.open("xb")
        except FileExistsError:
            if not _removed(partial):
                return None
            continue
        if os.name == "nt":
            file.close()  # as an open one could not be moved
            return file
        if _locked(file) and _is_at(file, partial):
            return file
        file.close()  # another writer took it for a killed one's before it was locked


def _removed(partial: Path) -> bool:
    """Remove what is nobody's, and say whether it was."""
    try:
        if os.name == "nt" or partial.is_symlink():
            partial.unlink()
            return True
        with partial.open("rb+") as file:
            if not _locked(file):
                return False
            if _is_at(file, partial):
                partial.unlink()
    except FileNotFoundError:
        pass
    except PermissionError:
        return False
    return True


def _locked(file: BinaryIO) -> bool:
    """Lock the file until it is closed, unless another process, or thread, has."""
    import fcntl  # here, as Windows has none

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # some file systems of a network have no locks: all that is there is taken for a killed writer's
    return True


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether the open file is the one at this path, which may have been moved or removed since it was opened."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    except FileNotFoundError:
        return False
