"""JSON by type: what is right comes back, what is wrong is one line with file, field and value."""

import json
import math
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from typing_extensions import TypedDict

from luxel import InputError
from luxel.files import typed_json
from luxel.files.typed_json import parse_json, read_json, without_nan, write_json


@dataclass(frozen=True)
class Ball:
    radius: float
    name: Literal["ball"] = "ball"


@dataclass(frozen=True)
class Block:
    sides: tuple[float, float]
    name: Literal["block"] = "block"


class Room(TypedDict):
    things: list[Ball | Block]
    floor: int


def told(content: str | bytes, kind: Any = Room) -> str:
    with pytest.raises(InputError) as error:
        parse_json(content, kind, "room.json", "sweep it")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_value_comes_back_as_its_type(tmp_path):
    path = tmp_path / "deeper" / "room.json"
    room = {"things": [{"name": "ball", "radius": 2}, {"name": "block", "sides": [1, 2]}], "floor": 3}
    write_json(path, room)
    assert read_json(path, Room) == {"things": [Ball(2.0), Block((1.0, 2.0))], "floor": 3}
    assert read_json(path) == room


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty, must be JSON"),
        (b" \n", "is empty, must be JSON"),
        ("{", "not valid JSON"),
        (b"\xff\xfe{}", "is not text but binary, from byte 0 on, must be JSON in UTF-8"),
        (b'{"a": \xe9}', "is not text but binary, from byte 6 on, must be JSON in UTF-8"),
        (b"PK\x03\x04\x00\x00", "is not text but binary, from byte 4 on, must be JSON in UTF-8"),
        (b"# Title", "not valid JSON: expected value at line 1 column 1"),
        ('{"floor": "\\ud800"}', "not valid JSON"),
        ("[" * 1_000_000, "not valid JSON: recursion limit exceeded"),
        ('{"a":' * 1000 + "1" + "}" * 1000, "not valid JSON: recursion limit exceeded"),
        ("[1, 2]", "its content is [1, 2]: input should be a valid dictionary"),
        ("null", "its content is None: input should be a valid dictionary"),
        ('{"things": []}', "floor is missing"),
        ('{"things": [], "floor": "up"}', "floor is 'up': input should be a valid integer"),
        ('{"things": {}, "floor": 1}', "things is {}: input should be a valid list"),
        ('{"things": {}}', "things is {}: input should be a valid list (and 1 more)"),
        ('{"things": [{"name": "ball"}], "floor": 1}', "things[0].radius is missing"),
        ('{"things": [3], "floor": 1}', "things[0] is 3: input should be a dictionary"),
        ('{"things": [{"name": "cube", "radius": 1}], "floor": 1}', "things[0].name is 'cube', must be 'ball'"),
        ('{"things": [{"name": "block", "sides": [1]}], "floor": 1}', "things[0].sides[1] is missing"),
        ('{"things": [{"name": "block", "sides": [1, "\\u001b[2J"]}], "floor": 1}', "things[0].sides[1] is '\\x1b[2J'"),
    ],
)
def test_a_mistake_is_one_line_with_its_field(content, problem):
    line = told(content)
    assert line.startswith(f"room.json: {problem}")
    assert line.endswith("; sweep it")


def test_a_long_value_is_cut_off():
    assert len(told(json.dumps({"things": "x" * 10_000, "floor": 1}))) < 300


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.json: cannot be read: No such file or directory; look elsewhere"):
        read_json(tmp_path / "gone.json", Room, "look elsewhere")
    with pytest.raises(InputError, match=f"{tmp_path}: cannot be read: Is a directory"):
        read_json(tmp_path, Room)


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "large.json"
    path.write_text(" " * 100 + "1")
    monkeypatch.setattr(typed_json, "MAX_BYTES", 100)
    with pytest.raises(InputError, match=r"large\.json: has 101 bytes, must have at most 100"):
        read_json(path)


def test_what_is_not_finite_is_null():
    value = {"a": [math.nan, 1.0], "b": (math.inf, {"c": -math.inf})}
    assert without_nan(value) == {"a": [None, 1.0], "b": [None, {"c": None}]}


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file: is a file, but a folder is meant"):
        write_json(tmp_path / "file" / "x.json", 3)
