"""The first line of a text file of particles that is not as its format has it, with what is wrong and what is right.

Other packages' parsers say what they stumbled over, but not where. So once one has, the file is looked through again.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TypeAlias

from luxel.configuration import cut, shortened
from luxel.scene.figures.typed_xyz import columns_of

Line: TypeAlias = tuple[int, str]
"""Its number, from 1 on, and its text."""
Check: TypeAlias = Callable[[str], object]
"""Raises ValueError for what is not as it must be."""
NUMBERS: dict[str, tuple[Check, str]] = {"R": (float, "a number"), "I": (int, "an integer")}
"""Of the kinds of extended XYZ those that are numbers."""
PDB_ATOM = {"x": (30, 38), "y": (38, 46), "z": (46, 54)}
PDB_BOX = {"a": (6, 15), "b": (15, 24), "c": (24, 33), "alpha": (33, 40), "beta": (40, 47), "gamma": (47, 54)}
"""Where the numbers of ATOM and CRYST1 stand: https://www.wwpdb.org/documentation/file-format, version 3.3."""
CIF_NUMBERS = re.compile(r"_cell_(length|angle)_\w+|_atom_site_(fract|Cartn)_[xyz]|_atom_site_occupancy")
CIF_UNCERTAINTY = re.compile(r"\(\d+\)$")
MAX_DIGITS = 18
"""Of a count: no file has more lines, and more is no length to Python."""
MAX_WIDTH = 1000
"""Columns of one name, beyond which a width is taken for a mistake of another kind."""
PLY_INTEGERS = re.compile(r"u?(char|short|int)\d*$")


def first_mistake(path: Path) -> str | None:
    """`line 4: y is '1,5', must be a number`; None where it is of a kind, or a format, that is not known here."""
    find = MISTAKES.get(path.suffix.lower())
    if find is None:
        return None
    with path.open(encoding="utf-8", errors="replace") as file:
        return find(enumerate(file, 1))


def xyz_mistake(lines: Iterator[Line]) -> str | None:
    """Of frames of (extended) XYZ, or of columns of numbers alone if that is how the file begins."""
    first = next(lines, (1, ""))
    if not first[1].strip().isdecimal():
        return columns_mistake(chain([first], lines))
    return frames_mistake(first, lines)


def frames_mistake(first: Line, lines: Iterator[Line]) -> str | None:
    """Of frames: a line of the number of atoms, a comment, which may name the columns, and a line an atom."""
    head: Line | None = first
    while head is not None and head[1].strip():
        number, text = head[0], head[1].strip()
        if not text.isdecimal():
            return f"line {number} is {shortened(text)}, must be the number of atoms of another frame, alone"
        _, comment = next(lines, (number + 1, ""))
        columns, atoms = extended_xyz_columns(comment), 0
        for place, row in islice(lines, count_of(text)):
            atoms += 1
            if (told := row_mistake(row.split(), columns)) is not None:
                return f"line {place}{told}"
        if atoms < count_of(text):
            return (
                f"line {number}: the number of atoms is {cut(text)}, but only {atoms} follow; the file may be cut off"
            )
        head = next(lines, None)
    return None


def extended_xyz_columns(comment: str) -> dict[str, str]:
    """The kind of each single column, by its name: `pos` is x, y and z."""
    columns: dict[str, str] = {}
    for name, kind, width in columns_of(comment):
        if not width.isdecimal() or count_of(width) > MAX_WIDTH:
            break
        each = ["x", "y", "z"] if (name, width) == ("pos", "3") else [f"{name}[{i}]" for i in range(int(width))]
        columns |= dict.fromkeys(each if int(width) > 1 else [name], kind)
    return columns


def row_mistake(words: Sequence[str], columns: Mapping[str, str]) -> str | None:
    """Of the words in the columns, by name and kind; what follows the number of the line."""
    if len(words) < len(columns):
        return f" has {len(words)} columns, must have {len(columns)}: {cut(', '.join(columns))}"
    for (name, kind), word in zip(columns.items(), words, strict=False):
        if kind in NUMBERS:
            check, what = NUMBERS[kind]
            if fails(check, word):
                return f": {name} is {shortened(word)}, must be {what}"
    return None


def columns_mistake(lines: Iterable[Line]) -> str | None:
    """Of lines of x y z, or x y z red green blue, with comments that begin with # or //."""
    first = width = 0
    for number, line in lines:
        words = re.split("#|//", line, maxsplit=1)[0].split()
        wrong = next((word for word in words if fails(float, word)), None)
        if wrong is not None:
            return f"line {number}: {shortened(wrong)} must be a number"
        if words and width and len(words) != width:
            return f"line {number} has {len(words)} columns, must have {width}, as line {first} has"
        if words and not width:
            first, width = number, len(words)
    return None


def pdb_mistake(lines: Iterator[Line]) -> str | None:
    """Of coordinates and of the box, which stand in columns of fixed places."""
    for number, line in lines:
        places = PDB_ATOM if line.startswith(("ATOM", "HETATM")) else PDB_BOX if line.startswith("CRYST1") else {}
        for name, (begin, end) in places.items():
            text = line[begin:end].strip()
            if fails(float, text):
                told = shortened(text) if text else "missing"
                return f"line {number}: {name} is {told}, must be a number in columns {begin + 1} to {end}"
    return None


def cif_mistake(lines: Iterator[Line]) -> str | None:
    """Of the cell and of atoms' places, where each atom has a line of its own."""
    loop: list[str] = []
    for number, line in lines:
        words = line.split()
        if not words or words[0] == "loop_":
            loop = []
        elif words[0].startswith("_") and len(words) == 1:
            loop.append(words[0])
        elif words[0].startswith("_"):
            loop = []
            if (told := cif_number_mistake(words[0], words[1])) is not None:
                return f"line {number}: {told}"
        elif "_atom_site_label" in loop:
            if len(words) < len(loop):
                return f"line {number} has {len(words)} columns, must have {len(loop)}: {cut(', '.join(loop))}"
            for name, word in zip(loop, words, strict=False):
                if (told := cif_number_mistake(name, word)) is not None:
                    return f"line {number}: {told}"
    return None


def cif_number_mistake(name: str, word: str) -> str | None:
    """Of a data name's value; `.` and `?` are unknown, and 1.23(4) is a number with its standard uncertainty."""
    is_number = CIF_NUMBERS.fullmatch(name) is not None and word not in (".", "?")
    if is_number and fails(float, CIF_UNCERTAINTY.sub("", word)):
        return f"{name} is {shortened(word)}, must be a number"
    return None


def ply_mistake(lines: Iterator[Line]) -> str | None:
    """Of an ASCII PLY's rows, up to the first element with lists, whose rows have no width of their own."""
    elements: list[tuple[str, int, dict[str, str]]] = []
    for number, line in lines:
        match line.split():
            case ["format", kind, *_] if kind != "ascii":
                return None
            case ["element", name, count] if count.isdecimal():
                elements.append((name, count_of(count), {}))
            case ["property", "list", *_] if elements:
                elements[-1][2]["list"] = "list"
            case ["property", kind, name] if elements:
                elements[-1][2][name] = "I" if PLY_INTEGERS.match(kind) else "R"
            case ["end_header"]:
                return ply_rows_mistake(number, lines, elements)
    return "has no line end_header"


def ply_rows_mistake(
    header_end: int, lines: Iterator[Line], elements: Sequence[tuple[str, int, Mapping[str, str]]]
) -> str | None:
    """Of the rows of elements: name, number, and the columns with their kinds."""
    last = header_end
    for name, count, columns in elements:
        if "list" in columns:
            return None
        rows = 0
        for last, line in islice(lines, count):
            rows += 1
            if (told := row_mistake(line.split(), columns)) is not None:
                return f"line {last}{told}"
        if rows < count:
            return f"ends after line {last}, with {rows} of {count} of its element {name}; the file may be cut off"
    return None


def count_of(digits: str) -> int:
    """The number, or one that no file has as many lines as."""
    return int(digits) if len(digits) <= MAX_DIGITS else 10**MAX_DIGITS


def fails(check: Check, text: str) -> bool:
    """Whether the check raises ValueError."""
    try:
        check(text)
    except ValueError:
        return True
    return False


MISTAKES: dict[str, Callable[[Iterator[Line]], str | None]] = {
    ".xyz": xyz_mistake,
    ".extxyz": xyz_mistake,
    ".pdb": pdb_mistake,
    ".cif": cif_mistake,
    ".ply": ply_mistake,
}
