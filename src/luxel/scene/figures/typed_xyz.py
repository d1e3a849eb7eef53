"""(Extended) XYZ files that name types of particles instead of elements, as LAMMPS and coarse-grained models have them.

https://github.com/libAtoms/extxyz. ASE, which reads the rest, knows elements alone.
"""

import re
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import islice
from pathlib import Path

from luxel.scene.figures.extra import optional_module

TYPE_NAMES = "_type_names"
"""ASE's array of the names."""
PLAIN_COLUMNS = "species:S:1:pos:R:3"
"""What lines hold where the comment has no Properties."""
PROPERTIES = re.compile(r'Properties="?([^\s"]+)"?')


def with_types(path: Path) -> StringIO | None:
    """The text with the species as an array TYPE_NAMES; None if all of the first frame are elements, or not given."""
    known = optional_module("ase.data", str(path)).atomic_numbers
    with path.open(encoding="utf-8") as file:
        count, comment = file.readline().strip(), file.readline()
        column = species_column(comment)
        if column is None or not count.isdecimal():
            return None
        rows = (line.split() for line in islice(file, int(count)))
        if all(row[column].capitalize() in known for row in rows if len(row) > column):
            return None
        file.seek(0)
        return StringIO("".join(renamed(file)))


def columns_of(comment: str) -> list[tuple[str, str, str]]:
    """Name, kind (S, R, I or L) and width of the columns that a frame's comment names, or of those of plain XYZ."""
    found = PROPERTIES.search(comment)
    words = (found[1] if found else PLAIN_COLUMNS).split(":")
    return list(zip(words[::3], words[1::3], words[2::3], strict=False))


def species_column(comment: str) -> int | None:
    """The number of the column that names species, if there is one."""
    column = 0
    for name, _, width in columns_of(comment):  # ASE tells what is no triple
        if name == "species":
            return column
        column += int(width)
    return None


def renamed(lines: Iterable[str]) -> Iterator[str]:
    """The lines of all frames, whose comments call the species TYPE_NAMES."""
    rest = iter(lines)
    for count in rest:
        yield count
        comment = next(rest, "")
        if not PROPERTIES.search(comment):
            comment = f"Properties={PLAIN_COLUMNS} {comment}"
        yield re.sub(r"\bspecies:S:1", f"{TYPE_NAMES}:S:1", comment, count=1)
        if count.strip().isdecimal():
            yield from islice(rest, int(count))
