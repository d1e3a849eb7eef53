"""Views, the camera that is fitted, and what stands about particles."""

import math

import numpy as np
import pytest
import torch

from luxel import Camera, InputError, Material, Panel, PathTracer, Plane, Scene, Sphere
from luxel.image.tonemap import linear_to_srgb
from luxel.scene.camera import frame, rotation_matrix, tan_half_fov
from luxel.scene.figures.looks import (
    FILLED,
    LOOKS,
    View,
    fitted_camera,
    srgb_to_linear,
    surroundings,
)


@pytest.mark.parametrize(
    ("text", "to_camera", "up"),
    [
        ("front", (0, -1, 0), (0, 0, 1)),
        ("right", (1, 0, 0), (0, 0, 1)),
        ("back", (0, 1, 0), (0, 0, 1)),
        ("left", (-1, 0, 0), (0, 0, 1)),
        ("top", (0, 0, 1), (0, 1, 0)),
        ("bottom", (0, 0, -1), (0, -1, 0)),
        ("90,90", (0, 0, 1), (-1, 0, 0)),
        ("0, 30", (0, -math.sqrt(0.75), 0.5), (0, 0, 1)),
    ],
)
def test_a_view_says_where_the_camera_is(text, to_camera, up):
    view = View.of(text)
    assert view.to_camera == pytest.approx(to_camera, abs=1e-12)
    assert view.up == pytest.approx(up, abs=1e-12)


@pytest.mark.parametrize("text", ["above", "1", "1,2,3", "x,2", "0,91", "400,0", "nan,0", ""])
def test_what_is_no_view_is_told(text):
    with pytest.raises(InputError, match="must be azimuth,elevation in degrees") as error:
        View.of(text)
    assert str(error.value).startswith(f"view is {text!r}, ")


@pytest.mark.parametrize("view", ["30,25", "top", "bottom", "-120,-40", "front"])
@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.5])
def test_all_balls_are_within_the_picture_and_touch_its_margins(view, aspect):
    """In every direction the outermost ball touches the margin, or the opposite ones stay as far from theirs."""
    random = np.random.default_rng(7)
    positions, radii = random.normal(size=(97, 3)) * [3, 1, 2] + 11, random.uniform(0.01, 0.3, 97)
    camera = fitted_camera(View.of(view), positions, radii, aspect)
    origin, axes = frame(camera)
    local = (positions - origin) @ axes
    assert (local[:, 2] + radii < 0).all()
    gaps = []
    for axis, tangent in ((0, tan_half_fov(camera) * FILLED * aspect), (1, tan_half_fov(camera) * FILLED)):
        normal = np.array([1.0, tangent]) / math.hypot(1, tangent)
        sides = [(sign * normal[0] * local[:, axis] - normal[1] * local[:, 2] - radii).min() for sign in (1, -1)]
        assert sides[0] == pytest.approx(sides[1], abs=1e-8)
        gaps.append(sides[0])
    assert min(gaps) == pytest.approx(0, abs=1e-8)
    assert np.dot(axes[:, 2], View.of(view).to_camera) == pytest.approx(1)


def test_linear_undoes_srgb():
    shown = linear_to_srgb(torch.linspace(0, 1, 97, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(srgb_to_linear(shown), np.linspace(0, 1, 97), atol=2e-6)


def test_particles_of_one_color_share_their_material():
    colors = np.array([[0.5, 0.2, 1.0], [0.0, 0.0, 0.0], [0.5, 0.2, 1.0]])
    first, second, third = LOOKS["flat"].materials(colors)
    assert first is third
    assert second.base_color == (0, 0, 0)
    assert first.base_color == pytest.approx(tuple(0.74 * srgb_to_linear(colors[0])))


@pytest.mark.parametrize("look", LOOKS)
def test_lamps_face_the_particles_and_the_ground_is_under_them(look):
    center = np.array([1.0, 2, 3])
    objects = surroundings(LOOKS[look], View.of("30,25"), center, 2.0, -1.5)
    grounds = [item for item in objects if isinstance(item, Plane)]
    assert [ground.center[2] for ground in grounds] == [-1.5] * (look != "flat")
    lamps = [item for item in objects if isinstance(item, Panel)]
    assert len(lamps) == len(LOOKS[look].lamps)
    for lamp in lamps:
        towards = center - lamp.center
        assert np.linalg.norm(towards) == pytest.approx(60)
        np.testing.assert_allclose(rotation_matrix(lamp.rotation)[:, 2], towards / 60, atol=1e-9)
    below = surroundings(LOOKS[look], View.of("30,-25"), center, 2.0, -1.5)
    assert not any(isinstance(item, Plane) for item in below)


def test_brightness_is_what_a_white_surface_shows():
    """A white matte plane that faces the lamp of `paper`, traced; lamps end where their panel's front is."""
    look = LOOKS["paper"]
    (lamp,) = (item for item in surroundings(look, View(0.0, 0.0), np.zeros(3), 1.0, -1.0) if isinstance(item, Panel))
    normal = tuple(rotation_matrix(lamp.rotation)[:, 2] * -1)
    white = Material(base_color=(1, 1, 1), roughness=1, specular=0)
    camera = Camera(position=tuple(5 * np.array(normal)), look_at=(0, 0, 0), vertical_fov_degrees=2)
    scene = Scene(objects=(Plane(center=(0, 0, 0), normal=normal, material=white), lamp), camera=camera)
    traced = PathTracer(max_depth=2).trace([scene], 4, 4, 256, 0).mean.mean()
    assert traced == pytest.approx(look.lamps[0].brightness, rel=0.12)  # Ω of a square of tangent 0.25 is 4 % less


def test_the_ground_of_paper_is_white_and_shadows_are_not():
    view, ball = View.of("30,25"), Sphere(center=(0, 0, 0), radius=1.0, material=Material(base_color=(0.2, 0.2, 0.2)))
    about = surroundings(LOOKS["paper"], view, np.zeros(3), 1.0, -1.0)
    camera = fitted_camera(view, np.zeros((1, 3)), np.ones(1), 1.0)
    scene = Scene(objects=(*about, ball), camera=camera, background=(1.0, 1.0, 1.0))
    picture = PathTracer().trace([scene], 24, 24, 256, 0).mean[0].mean(-1)
    assert picture[0].min() > 1
    assert picture[:12, :2].min() > 1
    assert picture[-4:].min() < 0.8


@pytest.mark.parametrize("view", [View.of("30,25"), View.of("bottom")])
def test_a_white_ball_in_flat_is_seen_before_the_white_sky(view):
    """White in its middle, and darker about its edge, whichever way it is seen."""
    ball = Sphere(center=(0, 0, 0), radius=1.0, material=LOOKS["flat"].materials(np.ones((1, 3)))[0])
    about = surroundings(LOOKS["flat"], view, np.zeros(3), 1.0, -1.0)
    scene = Scene(
        objects=(*about, ball), camera=fitted_camera(view, np.zeros((1, 3)), np.ones(1), 1.0), background=(1, 1, 1)
    )
    picture = PathTracer().trace([scene], 48, 48, 256, 0).mean[0].mean(-1)
    distance = np.hypot(*(np.mgrid[:48, :48] - 23.5)) / (24 * FILLED)
    assert picture[distance < 0.2].mean() == pytest.approx(0.95, abs=0.02)
    assert picture[(distance > 0.92) & (distance < 0.96)].mean() < 0.86
    assert (picture[distance > 1.05] == 1).all()


@pytest.mark.parametrize("view", ["30,25", "top", "-120,-40", "front"])
@pytest.mark.parametrize("aspect", [0.5, 2.5])
def test_an_orthographic_picture_holds_all_balls(view, aspect):
    random = np.random.default_rng(7)
    positions, radii = random.normal(size=(97, 3)) * [3, 1, 2] + 11, random.uniform(0.01, 0.3, 97)
    camera = fitted_camera(View.of(view), positions, radii, aspect, "orthographic")
    origin, axes = frame(camera)
    local = (positions - origin) @ axes
    assert (local[:, 2] + radii < 0).all()
    reach = [(np.abs(local[:, axis]) + radii).max() for axis in (0, 1)]
    half = FILLED * tan_half_fov(camera)
    assert max(reach[0] / (half * aspect), reach[1] / half) == pytest.approx(1)
    assert np.dot(axes[:, 2], View.of(view).to_camera) == pytest.approx(1)
