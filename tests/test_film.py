"""A frame's scene: its time, its angle, its file."""

import math
from pathlib import Path

import numpy as np
import pytest
from test_animation import STILL, keys, text

from luxel import InputError
from luxel.movie.film import Film, film_of_animation, film_of_file, film_of_folder, turntable
from luxel.scene import Animation, Camera, Plane, Scene

RADIUS = {"objects.0.radius": keys((0, 1), (2, 2))}


def test_an_animation_has_frames_up_to_its_last_key():
    film = film_of_animation(Animation.from_json(text(RADIUS)), fps=4.0)
    assert len(film) == 8
    assert [scene.objects[0].radius for scene in film] == [1 + frame / 8 for frame in range(8)]


def test_scenes_are_made_when_they_are_asked_for():
    made = []

    def scene(frame: int) -> Scene:
        made.append(frame)
        return Scene.model_validate(STILL)

    film = Film(5, scene)[1::2]
    assert (len(film), made) == (2, [])
    assert film[-1] == Scene.model_validate(STILL)
    assert made == [3]
    with pytest.raises(IndexError):
        film[2]


def test_a_turntable_goes_once_round_what_the_camera_looks_at():
    scene = Scene(
        objects=(Plane(center=(0, 0, 0)),),
        camera=Camera(position=(1, -4, 3), look_at=(1, 2, 1), up=(0, 0.5, 1), vertical_fov_degrees=33),
    )
    film = turntable(scene, 4)
    assert film[0] == scene
    positions = [frame.camera.position for frame in film]
    assert np.allclose(positions, [(1, -4, 3), (7, 2, 3), (1, 8, 3), (-5, 2, 3)])
    assert np.allclose(film[1].camera.up, (-0.5, 0, 1))
    assert all(frame.camera.look_at == (1, 2, 1) for frame in film)
    assert all(frame.camera.vertical_fov_degrees == 33 for frame in film)
    assert all(math.isclose(math.dist(p, (1, 2, 1)), math.hypot(6, 2)) for p in positions)


def test_a_folder_is_in_natural_order(tmp_path: Path):
    for number, ending in ((10, "json"), (2, "safetensors"), (1, "json")):
        Scene.from_json(text({"objects.0.radius": number})).save(tmp_path / f"step{number}.{ending}")
    assert [scene.objects[0].radius for scene in film_of_folder(tmp_path)] == [1, 2, 10]


def test_a_file_says_which_film_it_is(tmp_path: Path):
    (tmp_path / "moving.json").write_text(text(RADIUS))
    (tmp_path / "still.json").write_text(text({}))
    np.save(tmp_path / "cloud.npy", np.eye(3))
    assert len(film_of_file(tmp_path / "moving.json", 8.0)) == 16
    assert len(film_of_file(tmp_path / "still.json", 8.0, turns=5)) == 5
    assert len(film_of_file(tmp_path / "cloud.npy", 8.0, turns=3)) == 3
    lines = [f"ITEM: TIMESTEP\n{t}\nITEM: NUMBER OF ATOMS\n1\nITEM: ATOMS x y z\n{t} 0 0\n" for t in range(4)]
    (tmp_path / "a.dump").write_text("".join(lines))
    walk = film_of_file(tmp_path / "a.dump", 8.0)
    assert len(walk) == 4
    assert walk[0].camera == walk[3].camera
    assert walk[0] != walk[3]


def test_what_has_no_frames_is_told_with_the_remedy(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    np.save(tmp_path / "cloud.npy", np.eye(3))
    (tmp_path / "still.json").write_text(text({}))
    (tmp_path / "moving.json").write_text(text(RADIUS))
    (tmp_path / "long.json").write_text(text({"objects.0.radius": keys((0, 1), (1e6, 2))}))
    for path, turns, told in (
        ("empty", None, "has no scenes"),
        ("empty", 3, "is a folder, .*or no --turntable"),
        ("still.json", None, "has no keyframes .*--turntable 120"),
        ("moving.json", 3, r"objects\[0\].radius has keyframes, but on a turntable .*leave out --turntable"),
        ("cloud.npy", None, "has one frame; .*--turntable 120"),
        ("none.json", None, "cannot be read as a scene"),
        ("long.json", None, "the number of frames is 24000000, must be an integer in"),
    ):
        with pytest.raises(InputError, match=told):
            film_of_file(tmp_path / path, 24.0, turns)


def test_what_a_viewer_keeps_unsaved_is_no_frame(tmp_path: Path):
    for name in ("1.json", "2.json", "2.autosave.json", ".3.json"):
        (tmp_path / name).write_text(text(STILL))
    assert len(film_of_folder(tmp_path)) == 2


def test_a_binary_scene_stands_still(tmp_path: Path):
    Scene.from_json(text(STILL)).save(tmp_path / "x.safetensors")
    with pytest.raises(InputError, match=r"x\.safetensors: stands still; .*--turntable 120"):
        film_of_file(tmp_path / "x.safetensors", 24.0)
