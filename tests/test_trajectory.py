"""Frames of one file are figures of one look: camera, ground, lamps, radii and colours do not change."""

from pathlib import Path

import ase
import ase.io
import gsd.hoomd
import numpy as np
import pytest

from luxel import InputError
from luxel.scene import Plane, Scene, Sphere, load_scene
from luxel.scene.camera import frame
from luxel.scene.figures.figure import FILE_RADIUS, Figure
from luxel.scene.figures.looks import FOV_DEGREES, LOOKS
from luxel.scene.figures.readers import read_trajectory
from luxel.scene.figures.trajectory import Trajectory

PLACES = np.random.default_rng(3).normal(size=(3, 5, 3)) * np.array([1.0, 2.0, 3.0])[:, None, None]
"""Of five particles in three frames, each farther out than the one before."""


def dump(path: Path, places: np.ndarray = PLACES) -> Path:
    """A LAMMPS dump, with a field q of 10 · frame + row."""
    frames = []
    for step, atoms in enumerate(places):
        rows = "".join(f"{x} {y} {z} {10 * step + row}\n" for row, (x, y, z) in enumerate(atoms))
        frames.append(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(atoms)}\nITEM: ATOMS x y z q\n{rows}")
    path.write_text("".join(frames))
    return path


def balls(scene: Scene) -> list[Sphere]:
    return [item for item in scene.objects if isinstance(item, Sphere)]


def test_all_frames_are_before_one_camera_on_one_ground(tmp_path):
    trajectory = Trajectory.of(dump(tmp_path / "a.dump"), Figure(look="studio"), aspect=1.5)
    assert trajectory.frames == 3
    scenes = [trajectory(number) for number in range(3)]
    rest = [
        scene.model_copy(update={"objects": [o for o in scene.objects if o not in balls(scene)]}) for scene in scenes
    ]
    assert rest[0] == rest[1] == rest[2]
    assert len({ball.radius for scene in scenes for ball in balls(scene)}) == 1
    lowest = min(ball.center[2] - ball.radius for scene in scenes for ball in balls(scene))
    (ground,) = (item for item in scenes[0].objects if isinstance(item, Plane))
    assert ground.center[2] == pytest.approx(lowest)


def test_the_camera_comes_as_near_as_all_frames_together_allow(tmp_path):
    """0.84 of the picture's height is filled, from the first frame's lowest ball to the second one's highest."""
    trajectory = Trajectory.of(dump(tmp_path / "a.dump"), Figure(radius=0.01), aspect=1.5)
    eye, half_height = frame(trajectory(0).camera), np.tan(np.radians(FOV_DEGREES) / 2)
    filled = []
    for number in range(3):
        local = (np.array([ball.center for ball in balls(trajectory(number))]) - eye.origin) @ eye.rotation
        filled.append(local[:, :2] / -local[:, 2:] / half_height / [1.5, 1])
    assert np.abs(filled).max() < 0.84
    assert np.min(filled[0][:, 1]) == pytest.approx(-0.84, abs=0.01)
    assert np.max(filled[1][:, 1]) == pytest.approx(0.84, abs=0.01)


def test_places_are_moved_and_scaled_alike_in_all_frames(tmp_path):
    trajectory = Trajectory.of(dump(tmp_path / "a.dump"), Figure(look="flat", radius=0.5))
    moved = np.array([[ball.center for ball in balls(trajectory(number))] for number in range(3)])
    low, high = PLACES.min((0, 1)) - 0.5, PLACES.max((0, 1)) + 0.5
    np.testing.assert_allclose(moved, (PLACES - (low + high) / 2) * FILE_RADIUS / (np.linalg.norm(high - low) / 2))


def test_a_value_has_one_colour_in_all_frames(tmp_path):
    """The field is 0 to 24: the colour map's ends are the first frame's first and the last one's last."""
    trajectory = Trajectory.of(dump(tmp_path / "a.dump"), Figure(color_by="q", color_map="gray", look="flat"))
    grey = [[ball.material.base_color[0] for ball in balls(trajectory(number))] for number in range(3)]
    assert grey[0][0] == 0
    assert grey[2][4] == max(map(max, grey)) == pytest.approx(LOOKS["flat"].albedo)
    given = Trajectory.of(tmp_path / "a.dump", Figure(color_by="q", color_range=(0.0, 48.0), look="flat"))
    assert given.figure.color_range == (0, 48)


def test_frames_may_be_asked_for_in_any_order(tmp_path):
    trajectory = Trajectory.of(dump(tmp_path / "a.dump"), Figure())
    in_turn = [trajectory(number) for number in range(3)]
    assert [trajectory(number) for number in (2, 0, 2, 1, 1)] == [in_turn[number] for number in (2, 0, 2, 1, 1)]


def test_a_file_of_one_frame_is_the_scene_that_render_shows(tmp_path):
    path = dump(tmp_path / "a.dump", PLACES[:1])
    assert Trajectory.of(path, Figure(look="dark"), 0.7)(0) == load_scene(path, Figure(look="dark"), 0.7)


@pytest.mark.parametrize("suffix", [".xyz", ".extxyz", ".pdb", ".gsd", ".dump", ".npy"])
def test_the_frames_of_each_kind_of_file_are_read_in_turn(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    if suffix == ".gsd":
        with gsd.hoomd.open(path, "w") as file:
            for places in PLACES:
                snapshot = gsd.hoomd.Frame()
                snapshot.particles.N, snapshot.particles.position = 5, places
                snapshot.configuration.box = [50, 50, 50, 0, 0, 0]
                file.append(snapshot)
    elif suffix == ".dump":
        dump(path)
    elif suffix == ".npy":
        np.save(path, PLACES[0])
    else:
        ase.io.write(path, [ase.Atoms("CHOHC", places) for places in PLACES])
    frames = [particles.positions for particles in read_trajectory(path)]
    np.testing.assert_allclose(frames, PLACES[:1] if suffix == ".npy" else PLACES, atol=1e-3)


def test_what_a_movie_has_no_use_for_is_told(tmp_path):
    with pytest.raises(InputError, match=r"a\.dump: --frame is 1, but a movie shows all frames; leave it out"):
        Trajectory.of(dump(tmp_path / "a.dump"), Figure(frame=1))
    (tmp_path / "cut.dump").write_text((tmp_path / "a.dump").read_text()[:-30])
    with pytest.raises(InputError, match=r"cut\.dump: "):
        Trajectory.of(tmp_path / "cut.dump", Figure())
    (tmp_path / "b.dump").touch()
    with pytest.raises(InputError, match=r"b\.dump: is empty"):
        Trajectory.of(tmp_path / "b.dump", Figure())
