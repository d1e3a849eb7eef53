"""From points, atoms and files to scenes."""

from pathlib import Path

import numpy as np
import pytest

from luxel import Cylinder, Ellipsoid, InputError, InputWarning, Panel, Plane, Scene, Sphere
from luxel.scene import Figure, from_ase, from_points, load_scene
from luxel.scene.camera import frame, rotation_matrix, tan_half_fov
from luxel.scene.figures import figure as module
from luxel.scene.figures.figure import shadow_catcher_of
from luxel.scene.figures.looks import LOOKS
from luxel.scene.figures.readers import READERS

SCENE = Path(__file__).parent.parent / "examples" / "scenes" / "still_life.json"
POINTS = np.random.default_rng(5).normal(size=(97, 3))


def of(scene: Scene, kind: type) -> list:
    return [item for item in scene.objects if isinstance(item, kind)]


def test_points_stay_where_they_are_and_in_their_order():
    scene = from_points(POINTS, radii=0.125, colors=(1, 0, 0))
    balls = of(scene, Sphere)
    np.testing.assert_allclose([ball.center for ball in balls], POINTS)
    assert {ball.radius for ball in balls} == {0.125}
    assert {ball.material.base_color for ball in balls} == {(LOOKS["paper"].albedo, 0, 0)}
    (ground,) = of(scene, Plane)
    assert ground.center[2] == pytest.approx(POINTS[:, 2].min() - 0.125)
    assert scene.background == (1, 1, 1)
    assert scene == Scene.from_json(scene.to_json())


def test_points_that_are_there_twice_are_one_sphere():
    once = from_points(POINTS)
    assert from_points(np.concatenate([POINTS, POINTS[::-1]])).objects == once.objects


def test_ellipsoids_stand_on_the_ground_by_their_own_extent():
    upright = (0.5**0.5, 0, 0.5**0.5, 0)  # a quarter of a turn about y, which brings the longest axis, x, upright
    scene = from_points([[0, 0, 5]], semi_axes=(3, 1, 2), rotations=upright)
    (ball,) = of(scene, Ellipsoid)
    assert ball.semi_axes == (3, 1, 2)
    assert of(scene, Plane)[0].center[2] == pytest.approx(2)
    scene = from_points([[0, 0, 5]], semi_axes=(3, 1, 2))
    assert of(scene, Ellipsoid)[0].rotation == (1, 0, 0, 0)
    assert of(scene, Plane)[0].center[2] == pytest.approx(3)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("view", ["30,25", "top", "bottom"])
def test_every_look_and_view_is_a_lit_scene(look, view):
    scene = from_points(POINTS, look=look, view=view)
    assert scene.is_lit
    assert len(of(scene, Panel)) == len(LOOKS[look].lamps)
    assert len(of(scene, Plane)) == (view != "bottom" and look != "flat")


def test_a_wide_picture_is_filled_in_its_width():
    line = np.stack([np.linspace(-5, 5, 11), np.zeros(11), np.zeros(11)], 1)
    near, far = (from_points(line, radii=0.1, view="front", aspect=aspect).camera for aspect in (4.0, 1.0))
    assert -near.position[1] < -far.position[1] / 3
    origin, axes = frame(near)
    across = ((line - origin) @ axes)[:, 0] / (tan_half_fov(near) * -((line - origin) @ axes)[:, 2])
    assert 3 < across.max() < 4


def test_one_point_is_a_figure():
    (ball,) = of(from_points([[1, 2, 3]]), Sphere)
    assert (ball.center, ball.radius) == ((1, 2, 3), 0.5)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"positions": POINTS[:, :2]}, "points: positions has the shape 97 × 2, must be n × 3"),
        ({"view": "up"}, "view is 'up', must be azimuth,elevation"),
        ({"aspect": 0.0}, "aspect is 0.0, must be a number in (0.001, 1000]"),
        ({"radius_scale": -1.0}, "radius_scale is -1.0, must be a number in (0, 1e+06]"),
        ({"positions": POINTS + 5e5, "radii": 0.1}, "points: positions["),
        ({"positions": POINTS * 1e6, "radii": 1e5}, "points: positions reach "),
        ({"positions": POINTS * 1e-9}, "points: positions reach "),
        (
            {"positions": [[0, 0, 0], [0, 0, 1], [0, 0, 1e9]], "radii": 1},
            "points: positions[2] is [0.0, 0.0, 1000000000.0]",
        ),
    ],
)
def test_what_can_be_no_figure_is_told(given, told):
    with pytest.raises(InputError) as error:
        from_points(**{"positions": POINTS, **given})
    assert str(error.value).startswith(told)


def test_more_than_can_be_rendered_is_told_with_a_remedy(monkeypatch):
    monkeypatch.setattr(module, "MAX_OBJECTS", 40)
    with pytest.raises(InputError, match="points: 97 objects, must be at most 40; take a part: select ::3"):
        from_points(POINTS)


def test_atoms_have_bonds_and_a_box_between_their_ends():
    ase = pytest.importorskip("ase")
    atoms = ase.Atoms("OH2", [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]], cell=[4, 5, 6], pbc=True)
    scene = from_ase(atoms, bonds=True)
    assert [ball.radius for ball in of(scene, Sphere)] == pytest.approx([0.264, 0.124, 0.124])
    rods = of(scene, Cylinder)
    assert len(rods) == 4 + 12
    bond = next(rod for rod in rods if rod.center == pytest.approx((0.24, 0, 0)))
    assert (bond.radius, bond.half_height) == pytest.approx((0.1, 0.24))
    np.testing.assert_allclose(np.abs(rotation_matrix(bond.rotation)[:, 2]), [1, 0, 0], atol=1e-12)
    assert len(of(from_ase(atoms, box=False), Cylinder)) == 0
    with pytest.raises(InputError, match=r"atoms is \[1\], must be ase\.Atoms"):
        from_ase([1])


def test_a_files_unit_and_place_do_not_matter(tmp_path):
    """Nanometres in metres, and metres in a country's grid: the same scene but for rounding."""
    scenes = []
    for name, factor, offset in (("a", 1.0, 0.0), ("b", 1e-9, 0.0), ("c", 1e3, 5e6)):
        np.save(tmp_path / f"{name}.npy", POINTS * factor + offset)
        scenes.append(load_scene(tmp_path / f"{name}.npy"))
    for scene in scenes[1:]:
        np.testing.assert_allclose(
            [ball.center for ball in of(scene, Sphere)], [ball.center for ball in of(scenes[0], Sphere)], atol=1e-5
        )
        assert scene.camera.position == pytest.approx(scenes[0].camera.position, abs=1e-4)
    centers = np.array([ball.center for ball in of(scenes[0], Sphere)])
    assert np.linalg.norm(centers, axis=1).max() < module.FILE_RADIUS


def test_a_stray_point_is_told(tmp_path):
    """In the file's own numbers, with a radius that helps."""
    np.savez(tmp_path / "a.npz", positions=[*POINTS[:7], [0, 1e9, 0], *POINTS[7:]], radii=np.full(98, 0.1))
    with pytest.raises(InputError) as error:
        load_scene(tmp_path / "a.npz")
    assert str(error.value) == (
        f"{tmp_path}/a.npz: positions[7] is [0.0, 1000000000.0, 0.0], too far away for the radius 0.1 of particle 0, "
        "of which it must be at most 1e+06 times, as single precision tells no more: leave it out, or give a "
        "--radius of 5e+02 or more"
    )
    with pytest.warns(InputWarning, match="hardly show"):
        assert len(of(load_scene(tmp_path / "a.npz", Figure(radius=510.0)), Sphere)) == 98


def test_particles_too_small_to_be_seen_are_told_with_the_stray(tmp_path):
    np.savez(tmp_path / "a.npz", positions=[*POINTS[:7], [0, 1e4, 0], *POINTS[7:]], radii=np.full(98, 0.1))
    with pytest.warns(
        InputWarning, match=r"a\.npz: particles of radius 0\.1 .*; positions\[7\] is \[0\.0, 10000\.0, 0\.0\]"
    ):
        load_scene(tmp_path / "a.npz")
    load_scene(tmp_path / "a.npz", Figure(radius=2.0))


def test_what_figures_have_is_of_no_use_to_a_scene():
    assert load_scene(SCENE) == Scene.load(SCENE)
    with pytest.raises(InputError, match=r"still_life\.json: --radius-scale is 2\.0, but a scene has its own"):
        load_scene(SCENE, Figure(radius_scale=2.0))


def test_a_file_by_whose_ending_points_are_not_known_is_told_which_are(tmp_path):
    (tmp_path / "cloud.txt").write_text("0 1 2\n")
    with pytest.raises(InputError, match=r"cloud\.txt: not valid JSON: .*; points .* by their endings: \.npy, \.npz, "):
        load_scene(tmp_path / "cloud.txt")
    for name in ("cloud.json", "nowhere.txt"):
        (tmp_path / "cloud.json").write_text("0 1 2\n")
        with pytest.raises(InputError) as error:
            load_scene(tmp_path / name)
        assert "endings" not in str(error.value)


@pytest.mark.parametrize("suffix", READERS)
def test_points_are_no_scene_and_it_is_told_how_they_become_one(tmp_path, suffix):
    with pytest.raises(InputError) as error:
        Scene.load(tmp_path / f"cloud{suffix}")
    path = tmp_path / f"cloud{suffix}"
    assert str(error.value) == (
        f"{path}: is of points or particles; make a scene of it: luxel convert {path} cloud.json"
    )


def test_a_figure_may_do_without_ground_and_only_that_of_paper_is_for_shadows(tmp_path):
    np.save(tmp_path / "a.npy", np.eye(3))
    for look, shadows in (("paper", 0), ("studio", None)):
        scene = load_scene(tmp_path / "a.npy", Figure(look=look))
        assert isinstance(scene.objects[0], Plane)
        assert shadow_catcher_of(scene, look) == shadows
        bare = load_scene(tmp_path / "a.npy", Figure(look=look, ground=False))
        assert bare.objects == scene.objects[1:]
        assert bare.camera == scene.camera
        assert shadow_catcher_of(bare, look) is None


def test_a_selection_comes_before_the_rest(tmp_path):
    np.savez(tmp_path / "a.npz", positions=[*POINTS, [1e12, 0, 0]], heat=np.arange(98))
    scene = load_scene(tmp_path / "a.npz", Figure(select=":97", color_by="heat", up="y", look="dark"))
    assert len(of(scene, Sphere)) == 97
    assert len({ball.material.base_color for ball in of(scene, Sphere)}) == 97
