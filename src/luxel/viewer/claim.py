"""A scene's file is one viewer's at a time, as its autosave is."""

import os
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from luxel import InputError
from luxel.files.atomic import LOCK


class Claim:
    """Keeps other viewers from a scene's file until it is released; that of a process which was killed is void.

    Raises InputError if another viewer has the file. Where nothing can be written, or locked, nothing is kept. The
    lock is filelock's: flock's on Linux and macOS, LockFileEx's on Windows.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.with_name(f".{path.name}{LOCK}")
        self._lock: FileLock | None = None
        if not os.access(path.parent, os.W_OK):
            return
        self._lock = FileLock(self._file, blocking=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise InputError(
                f"{path}: is open in another viewer, whose page shows it to as many tabs as you like; "
                "for a viewer of its own give a copy of the file"
            ) from None
        except (OSError, NotImplementedError):  # as on some file systems of a network
            self._lock = None

    def release(self) -> None:
        """Leave the file to others."""
        if self._lock is not None:
            with suppress(OSError):
                self._file.unlink()  # while it is held, so that nobody else's is removed; on Windows `release` does it
            self._lock.release()
            self._lock = None
