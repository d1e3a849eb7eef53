"""Boxes around whole objects: hand values, dense points of every shape, and masks."""

import math

import numpy as np
import pytest

from luxel.data.annotations import annotate, project
from luxel.scene.camera import rotation_matrix
from luxel.scene.description import Box, Camera, Cylinder, Ellipsoid, Panel, Plane, Scene, Sphere

# At 90° and 40 pixels the focal length is 20 pixels; the camera is 4 before the origin and looks along +y.
CAMERA = Camera(position=(0, -4, 0), look_at=(0, 0, 0), vertical_fov_degrees=90)
ORTHOGRAPHIC = Camera(position=(0, -4, 0), look_at=(0, 0, 0), projection="orthographic", vertical_extent=8)
WIDTH, HEIGHT = 60, 40
TURN = tuple(np.array([0.9, 0.3, -0.2, 0.25]) / np.linalg.norm([0.9, 0.3, -0.2, 0.25]))
SHAPES = [
    Sphere(center=(0.3, 0.2, -0.4), radius=0.9),
    Ellipsoid(center=(0.3, 0.2, -0.4), semi_axes=(1.1, 0.4, 0.7), rotation=TURN),
    Box(center=(0.3, 0.2, -0.4), half_extents=(1.1, 0.4, 0.7), rotation=TURN),
    Cylinder(center=(0.3, 0.2, -0.4), radius=0.6, half_height=1.1, rotation=TURN),
    Panel(center=(0.3, 0.2, -0.4), half_extents=(1.1, 0.4), rotation=TURN),
    Panel(center=(0.3, 0.2, -0.4), half_extents=(1.1, 0.4), rotation=TURN, outline="ellipse"),
]


def labels_of(*objects, camera=CAMERA):
    return annotate(Scene(camera=camera, objects=objects), WIDTH, HEIGHT)


def surface(item):
    """Points that densely cover the outline of the shape in unit space, [points, 3]."""
    t = np.linspace(0, 2 * math.pi, 721)
    ring = np.stack([np.cos(t), np.sin(t), 0 * t], -1)
    if item.shape in ("sphere", "ellipsoid"):
        z = np.linspace(-1, 1, 721)[:, None, None]
        return (ring * np.sqrt(1 - z**2) + z * [0, 0, 1]).reshape(-1, 3)
    if item.shape == "cylinder":
        return np.concatenate([ring + z for z in (np.array([0, 0, 1]), np.array([0, 0, -1]))])
    if item.shape == "panel" and item.outline == "ellipse":
        return ring
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    return corners * [1, 1, 0] if item.shape == "panel" else corners


@pytest.mark.parametrize("camera", [CAMERA, ORTHOGRAPHIC], ids=["perspective", "orthographic"])
@pytest.mark.parametrize("item", SHAPES, ids=lambda item: f"{item.shape} {getattr(item, 'outline', '')}")
def test_it_is_the_box_of_all_points_of_the_shape(item, camera):
    points = (surface(item) * item.scale) @ rotation_matrix(item.rotation).T + item.center
    seen = project(camera, points, WIDTH, HEIGHT)
    labels = labels_of(item, camera=camera)
    np.testing.assert_allclose(labels.whole_box[0], [*seen.min(0), *seen.max(0)], atol=1e-3)
    x0, y0, x1, y1 = labels.whole_box[0]
    less = labels.amodal_box[0] - [math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1)]
    assert (less * [1, 1, -1, -1] >= 0).all(), "a mask is nowhere outside"
    assert abs(less).max() <= 1, "and its rays miss a thin tip at most"


def test_a_sphere_beyond_the_border_by_hand():
    """Tangents from the eye to a circle: a ball of radius r at (x, depth d) spans f tan(atan(x/d) ± asin(r/√(x²+d²))).

    Here x = 6, d = 4, r = 1, f = 20, from the middle at 30: it begins beyond the right border, at 60.
    """
    labels = labels_of(Sphere(center=(6, 0, 0), radius=1))
    middle, half = math.atan2(6, 4), math.asin(1 / math.hypot(6, 4))
    x0, _, x1, _ = labels.whole_box[0]
    assert (x0, x1) == pytest.approx((30 + 20 * math.tan(middle - half), 30 + 20 * math.tan(middle + half)))
    assert x0 < 60 < x1
    assert labels.amodal_box[0, 2] == 60, "which ends at the border"
    assert labels.whole_box[0, 1] == pytest.approx(20 - (labels.whole_box[0, 3] - 20))


@pytest.mark.parametrize(
    "item",
    [
        Plane(center=(0, 0, -1), normal=(0, 0, 1)),
        Sphere(center=(0, -5, 0), radius=0.5),
        Sphere(center=(3, -4, 0), radius=0.5),
        Box(center=(0, -3.5, 0), half_extents=(0.2, 0.6, 0.2)),
    ],
    ids=["plane", "behind", "beside", "around the camera"],
)
def test_what_is_not_all_before_the_camera_has_none(item):
    assert np.isnan(labels_of(item).whole_box).all()
