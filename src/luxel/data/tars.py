"""Tars of small files: appended without owner or date, and read one by one, in any order."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from luxel.data.manifest import REMEDY, DataError
from luxel.files.atomic import replacing


@contextmanager
def new_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """A tar for the block to `add` files to, which is then at `path`, whole or not at all. Raises as `replacing`."""
    with replacing(path) as partial, tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar:
        yield tar


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Append a file of nobody's, of no date."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def places_in(path: Path) -> dict[str, tuple[int, int]]:
    """Where each file of a tar begins and how many bytes it has. Raises DataError for what is no tar."""
    try:
        with tarfile.open(path, "r:") as tar:
            return {member.name: (member.offset_data, member.size) for member in tar}
    except (OSError, tarfile.TarError) as error:
        raise DataError(f"{path}: can't be read as a tar: {error}; delete it, and {REMEDY}") from None
