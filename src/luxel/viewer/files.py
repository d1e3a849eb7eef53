"""Which files a page may name: any, if this machine alone can reach the page, or else those of one folder."""

import os
from pathlib import Path

from luxel import InputError


class Files:
    """Names of files as the page shows them: from a folder on, that of the scene that was opened first."""

    def __init__(self, home: Path, anywhere: bool) -> None:
        self.home, self._anywhere = home, anywhere

    def named(self, name: str, endings: tuple[str, ...]) -> Path:
        """The file of this name. Raises InputError for another ending, and for a folder that the page may not name."""
        typed = Path(os.path.expanduser(name.strip()))  # Path's own raises RuntimeError for an unknown ~user
        if not typed.name or typed.suffix.lower() not in endings:
            raise InputError(f"the file is {name!r}, must end in {' or '.join(endings)}")
        if not self._anywhere and typed.name != name:
            raise InputError(f"the file is {name!r}, must be a name without a folder, as others can reach this page")
        return self.home / typed

    def uploaded(self, name: str, endings: tuple[str, ...]) -> Path:
        """Where a file that a browser sends lies: in the first scene's folder, whatever its name leads to."""
        return self.home / self.named(Path(name).name, endings).name

    def shown(self, path: Path) -> str:
        """The name of a file."""
        try:
            return Path(os.path.relpath(path, self.home)).as_posix()
        except ValueError:  # on another of Windows's drives
            return str(path)


def free(path: Path) -> Path:
    """The path, or with a number, at which there is no file yet."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found
