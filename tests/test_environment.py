"""Environment maps from files and within scenes, and what scenes say of them."""

import hashlib
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from outside import SPOTS, texels, under
from tracer_scenes import ball

from luxel import InputError, save_image
from luxel.files.radiance_hdr import encode_hdr
from luxel.scene import MapSky, Scene, SceneError, binary, environment, scene_id
from luxel.scene.description import stored_json
from luxel.scene.environment import embedded, environment_map, lossless, read_map

BALL = ball(0, 0, 0, 1)


def written(folder: Path, name: str) -> Path:
    path = folder / name
    if path.suffix == ".hdr":
        path.write_bytes(encode_hdr(texels()))
    else:
        save_image(path, texels())
    return path


@pytest.mark.parametrize("name", ["sky.hdr", "sky.exr"])
def test_a_scene_finds_its_map_from_its_own_file_on(name, tmp_path, monkeypatch):
    (tmp_path / "maps").mkdir()
    (tmp_path / "scenes").mkdir()
    written(tmp_path / "maps", name)
    monkeypatch.chdir(tmp_path / "maps")
    one = under(BALL, sky=MapSky(file=name, rotation_degrees=30))
    one.save(tmp_path / "scenes" / "one.json")
    stored = json.loads((tmp_path / "scenes" / "one.json").read_text())["sky"]
    assert stored["file"] == f"../maps/{name}"
    monkeypatch.chdir(tmp_path)
    for path in ("scenes/one.json", tmp_path / "scenes" / "one.json"):
        assert Scene.load(path) == one
    assert Scene.from_json(one.to_json()) == one
    assert pickle.loads(pickle.dumps(one)) == one
    np.testing.assert_allclose(one.sky.map.texels, texels(), rtol=0 if name.endswith("exr") else 1, atol=0.25)


@pytest.mark.parametrize("ending", ["json", "safetensors"])
def test_a_saved_scene_names_its_map_from_its_new_folder_on(ending, tmp_path, monkeypatch):
    """Also through a folder that is a link, from which `..` leads elsewhere; and both may be moved together."""
    (tmp_path / "maps").mkdir()
    (tmp_path / "deep" / "scenes").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "scenes")
    one = under(BALL, sky=MapSky(file=str(written(tmp_path / "maps", "sky.exr"))))
    for place in ("maps", "deep/scenes", "link"):
        one.save(tmp_path / place / f"one.{ending}")
        again = Scene.load(tmp_path / place / f"one.{ending}")
        assert (again, again.sky.map) == (one, one.sky.map)
    monkeypatch.chdir(tmp_path / "deep")
    assert Scene.load(f"../link/one.{ending}") == one
    (tmp_path / "maps").rename(tmp_path / "moved")
    assert Scene.load(tmp_path / "moved" / f"one.{ending}").sky.file == str(tmp_path / "moved" / "sky.exr")


def test_a_map_within_a_scene_may_keep_every_bit(tmp_path):
    exact = texels() + np.float32(1 / 3)
    one = under(BALL, sky=MapSky(file=lossless(exact)))
    np.testing.assert_array_equal(one.sky.map.texels, exact)
    one.save(tmp_path / "one.json")
    assert Scene.load(tmp_path / "one.json") == one


def test_a_map_within_that_a_binary_scene_has_no_room_for_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(binary, "MAX_JSON_BYTES", 1000)
    with pytest.raises(
        SceneError, match=r"one\.safetensors: all but its objects takes \d+ bytes, .*; save it as \.json"
    ):
        under(BALL, sky=SPOTS).save(tmp_path / "one.safetensors")


def test_equal_scenes_are_stored_as_equal_json_without_a_path(tmp_path):
    """What is stored where a map lies beside it is what the scene's name is the hash of, were it within the scene."""
    paths = [written(tmp_path, name) for name in ("a.hdr", "b.hdr")]
    one, other = (under(BALL, sky=MapSky(file=str(path))) for path in paths)
    assert one == other
    assert hash(one) == hash(other)
    assert one != under(BALL, sky=MapSky(file=str(paths[0]), scale=2.0))
    assert stored_json(one) == stored_json(other)
    assert hashlib.sha256(stored_json(one).encode()).hexdigest() == scene_id(one)
    within = under(BALL, sky=one.sky.model_copy(update={"file": embedded(one.sky.map.texels)}))
    assert stored_json(within) == stored_json(one)


def test_a_scene_is_named_by_what_its_map_shows_not_by_where_it_is(tmp_path):
    paths = [written(tmp_path, name) for name in ("a.hdr", "b.hdr", "c.exr")]
    ids = [scene_id(under(BALL, sky=MapSky(file=str(path)))) for path in paths]
    assert ids[0] == ids[1] == scene_id(under(BALL, sky=SPOTS.model_copy(update={"rotation_degrees": 0.0})))
    assert len({*ids, scene_id(under(BALL, sky=SPOTS)), scene_id(under(BALL))}) == 4
    assert "sha256" in json.loads(under(BALL, sky=SPOTS).to_json())["sky"]


def test_a_map_that_has_changed_is_told(tmp_path):
    path = written(tmp_path, "a.hdr")
    one = under(BALL, sky=MapSky(file=str(path)))
    text = one.to_json()
    path.write_bytes(encode_hdr(2 * texels()))
    os.utime(path, (1, 1))
    with pytest.raises(InputError, match=r"a\.hdr has changed since the scene was read"):
        _ = one.sky.map
    with pytest.raises(SceneError, match=r"^here: sky\.file: .*a\.hdr has changed, its texels' SHA-256 is now"):
        Scene.from_json(text, "here")


@pytest.mark.parametrize(
    ("sky", "told"),
    [
        ({"kind": "map", "file": "none.hdr"}, r"sky\.file: .*none\.hdr: cannot be read: No such file"),
        ({"kind": "map", "file": "sky.png"}, r"sky\.file: .*sky\.png: is no environment map; give an \.exr or \.hdr"),
        ({"kind": "map", "file": "text.hdr"}, r"sky\.file: .*text\.hdr: is no Radiance file"),
        ({"kind": "map", "file": "."}, r"sky\.file: .*is no environment map"),
        ({"kind": "map", "file": 3}, r"sky\.file is 3: input should be a valid string"),
        ({"kind": "map", "file": environment.EMBEDDED + "!"}, r"sky\.file: the map in the scene is no base64"),
        (
            {"kind": "map", "file": environment.LOSSLESS + "UEY="},
            r"sky\.file: the map in the scene: is no portable float",
        ),
        ({"kind": "map"}, r"sky\.file is missing"),
        ({"kind": "map", "file": "a.hdr", "scale": -1}, r"sky\.scale is -1, must be a number in \[0, 1e6\]"),
        ({"kind": "gradiant"}, r"sky\.kind is 'gradiant', must be one of gradient, map; did you mean gradient\?"),
        ({"zenith": [1, 1, 1]}, r"sky\.kind is missing, must be one of gradient, map"),
        (3, r"sky is 3, must be an object whose kind is one of gradient, map"),
        ({"kind": "gradient", "horizon": [1, 1, 1]}, r"sky\.zenith is missing"),
        ({"kind": "gradient", "zenith": [1, 1], "horizon": [1, 1, 1]}, r"sky\.zenith"),
        ({"kind": "gradient", "zenit": [1, 1, 1]}, r"sky\.zenit is not a known field; did you mean zenith\?"),
    ],
)
def test_a_wrong_sky_is_told(sky, told, tmp_path):
    written(tmp_path, "a.hdr")
    written(tmp_path, "sky.png")
    (tmp_path / "text.hdr").write_text("text")
    values = json.loads(under(BALL).to_json()) | {"sky": sky}
    with pytest.raises(SceneError, match=f"(?m)^here: {told}"):
        Scene.from_json(json.dumps(values), "here", tmp_path)


@pytest.mark.parametrize(
    ("sun", "told"),
    [
        ({"direction": [0, 0, 0], "radiance": [1, 1, 1]}, r"sun\.direction is .*, must be a vector other than zero"),
        ({"direction": [0, 0, 1]}, r"sun\.radiance is missing"),
        (
            {"direction": [0, 0, 1], "radiance": [1, 1, 1], "angular_radius_degrees": 0},
            r"sun\.angular_radius_degrees is 0, must be in \[0\.01, 90\] degrees",
        ),
        (
            {"direction": [0, 0, 1], "radiance": [1, 1, 1], "angle": 1},
            r"sun\.angle is not a known field; .*angular_radius_degrees",
        ),
    ],
)
def test_a_wrong_sun_is_told(sun, told):
    values = json.loads(under(BALL).to_json()) | {"sun": sun}
    with pytest.raises(SceneError, match=f"^here: {told}"):
        Scene.from_json(json.dumps(values), "here")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.zeros((3, 4)), r"MapSky: texels is of shape \(3, 4\), must be numbers \[height, width, 3\]"),
        (np.full((2, 4, 3), -1.0), r"MapSky: texels: is \[-1.0, -1.0, -1.0\] at row 0, column 0, must be radiance"),
        (np.full((2, 4, 3), np.nan), r"MapSky: texels: is \[nan, nan, nan\] at row 0"),
    ],
)
def test_arrays_that_are_no_radiance_are_told(values, told):
    with pytest.raises(SceneError, match=f"^{told}"):
        MapSky.of(values)


def test_what_is_too_large_is_told(monkeypatch):
    monkeypatch.setattr(environment, "MAX_TEXELS", 7)
    with pytest.raises(InputError, match=r"^a map: has 4×2 pixels, must have at most 7; scale it down"):
        environment_map(np.zeros((2, 4, 3), np.float32), "a map")


def test_a_map_is_read_once_and_says_what_it_is_briefly(tmp_path):
    path = str(written(tmp_path, "a.hdr"))
    assert read_map(path) is read_map(path)
    assert read_map(embedded(texels())) == read_map(path)
    assert len(repr(SPOTS)) < 300
    assert not read_map(path).texels.flags.writeable
