"""From a file with keyframes to scenes, and mistakes with the key that they are in."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from luxel import InputError
from luxel.scene import Animation, Scene, SceneError

STILL = {
    "schema_version": 1,
    "background": [0.2, 0.3, 0.4],
    "camera": {"position": [0, -5, 1], "look_at": [0, 0, 0]},
    "objects": [
        {"shape": "sphere", "center": [0, 0, 0], "radius": 1},
        {"shape": "plane", "center": [0, 0, -1], "material": {"emission": [1, 1, 1]}},
    ],
}


def keys(*pairs: tuple[float, Any], **more: str) -> dict[str, Any]:
    return {"keyframes": [list(pair) for pair in pairs], **more}


def text(changes: dict[str, Any]) -> str:
    """The still scene's JSON with some values in place of others: {"objects.0.radius": 2}."""
    data: Any = copy.deepcopy(STILL)
    for place, value in changes.items():
        *path, last = (int(part) if part.isdigit() else part for part in place.split("."))
        inner = data
        for part in path:
            inner = inner[part]
        inner[last] = value
    return json.dumps(data)


def test_every_part_of_a_scene_changes_with_time():
    moving = Animation.from_json(
        text(
            {
                "background": keys((0, [0, 0, 0]), (2, [1, 1, 1])),
                "camera.position": keys((1, [0, -5, 1]), (3, [4, -5, 1])),
                "objects.0.radius": keys((0, 1), (4, 2)),
                "objects.1.material.emission": keys((0, [1, 1, 1]), (1, [0, 0, 2])),
            }
        )
    )
    assert moving.duration == 4
    scene = moving(2.0)
    assert isinstance(scene, Scene)
    assert (scene.background, scene.camera.position) == ((1, 1, 1), (2, -5, 1))
    assert (scene.objects[0].radius, scene.objects[1].material.emission) == (1.5, (0, 0, 2))
    assert moving(0.0).camera.position == (0, -5, 1)
    assert moving(100.0) == moving(4.0)


def test_a_file_without_keyframes_is_the_same_scene_at_all_times(tmp_path: Path):
    (tmp_path / "still.json").write_text(text({}))
    still = Animation.load(tmp_path / "still.json")
    assert (still.duration, still.tracks) == (0, ())
    assert still(0.0) == still(7.0) == Scene.load(tmp_path / "still.json")


def test_a_scene_says_that_a_file_has_keyframes():
    with pytest.raises(SceneError) as error:
        Scene.from_json(text({"objects.0.radius": keys((0, 1), (1, 2))}), "my.json")
    assert str(error.value) == (
        "my.json: objects[0].radius has keyframes, but a scene stands still; render it with `luxel movie`, or take "
        "Animation.load(path)(time): docs/movie.md"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"objects.0.radius": keys((0, 1), (1, -2))},
            "my.json: objects[0].radius.keyframes[1][1] is -2.0, must be a number in [1e-6, 1e6]",
        ),
        (
            {"objects.0.center": keys((0, [0, 0, 0]), (1, [0, 0, 2e6]))},
            "my.json: objects[0].center.keyframes[1][1][2] is 2000000.0, must be a number in [-1e6, 1e6]",
        ),
        (
            {"objects.0.center": keys((0, [0, 0, 0]), (1, [0, 0]))},
            "my.json: objects[0].center.keyframes[1][1] is [0, 0], must be a list of the same length as "
            "objects[0].center.keyframes[0][1], which is [0, 0, 0]",
        ),
        (
            {"camera.look_at": keys((0, [0, 0, 0]), (1.5, [0, -5, 1]))},
            "my.json, at 1.5 s: camera: look_at must differ from position, both are (0.0, -5.0, 1.0)",
        ),
        (
            {"objects.0.radius": -1, "objects.1.normal": keys((0, [0, 0, 1]), (1, [0, 1, 0]))},
            "my.json: objects[0].radius is -1, must be a number in [1e-6, 1e6]",
        ),
        (
            {"objects.0.zzz": keys((0, 1), (1, 2))},
            "my.json: objects[0].zzz.keyframes[0][1] is not a known field; known are shape, center, radius, material",
        ),
        ({"objects.0.radius": keys()}, "my.json: objects[0].radius.keyframes is [], must be a list of "),
        ({"schema_version": 2}, "my.json: schema_version is 2, must be 1, "),
    ],
)
def test_mistakes_are_told_with_the_key(changes, told):
    with pytest.raises(SceneError) as error:
        Animation.from_json(text(changes), "my.json")
    assert str(error.value).startswith(told)
    assert "\n" not in str(error.value)


def test_what_is_none_between_keys_is_told_with_the_time():
    flips = Animation.from_json(text({"objects.1.normal": keys((0, [0, 0, 1]), (1, [0, 0, -1]))}), "my.json")
    told = (
        r"^my.json, at 0.5 s: objects\[1\].normal is .*must be a vector other than zero; "
        "between the keys at 0 s and 1 s give one that leads round it$"
    )
    with pytest.raises(SceneError, match=told):
        flips(0.5)


def test_a_keys_own_value_is_blamed_before_what_lies_between_keys():
    """Of the radius, whose value at the other field's key, at 1 s, is wrong, too."""
    moving = {"objects.0.radius": keys((0, 0.1), (2, -0.5)), "background": keys((0, [0, 0, 0]), (1, [1, 1, 1]))}
    with pytest.raises(SceneError) as error:
        Animation.from_json(text(moving), "my.json")
    assert str(error.value) == "my.json: objects[0].radius.keyframes[1][1] is -0.5, must be a number in [1e-6, 1e6]"
    flips = {**moving, "objects.0.radius": 1, "objects.1.normal": keys((0, [0, 0, 1]), (2, [0, 0, -1]))}
    with pytest.raises(SceneError, match=r"^my.json, at 1 s: objects\[1\].normal .* one that leads round it$"):
        Animation.from_json(text(flips), "my.json")


@pytest.mark.parametrize("time", [-1.0, float("nan"), 2e6])
def test_a_time_is_checked(time):
    with pytest.raises(InputError, match=r"^time is .*, must be a number in \[0, 1e\+06\]"):
        Animation.from_json(text({}))(time)


def test_files_that_are_no_scenes_are_told_as_scenes_are(tmp_path: Path):
    for content, told in (
        ("", "is empty"),
        ("[" * 100_000, "nested too deeply"),
        ("[" * 400, "JSON"),
        ("[]", "object"),
    ):
        (tmp_path / "a.json").write_text(content)
        with pytest.raises(SceneError, match=rf"a\.json: .*{told}"):
            Animation.load(tmp_path / "a.json")
    with pytest.raises(SceneError, match="a folder"):
        Animation.load(tmp_path)
