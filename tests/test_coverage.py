"""What objects cover of each pixel, against the pictures of scenes in which each of them is alone."""

import numpy as np
import pytest
import torch
from kernels import DEVICES

from luxel.core.coverage import Coverage, object_coverage
from luxel.core.fragments import visible_fragments
from luxel.core.scene_batch import SceneBatch
from luxel.scene import Box, Camera, Cylinder, Ellipsoid, Material, Panel, Plane, Scene, Sphere
from luxel.trace.first_hits import first_hit_features

WIDTH, HEIGHT, RAYS = 41, 29, 31
PERSPECTIVE = Camera(position=(0.3, -5.0, 1.1), look_at=(0.0, 0.0, 0.2), vertical_fov_degrees=37)
CAMERAS = {
    "perspective": PERSPECTIVE,
    "orthographic": Camera(
        position=(0.3, -5.0, 1.1), look_at=(0.0, 0.0, 0.2), projection="orthographic", vertical_extent=3.2
    ),
    "tilted": Camera(position=(3, -3, 2), look_at=(0, 0.4, 0), up=(1, 0, 1), vertical_fov_degrees=50),
}
GLOW = Material(base_color=(0, 0, 0), emission=(9, 9, 9))
OBJECTS = (
    Box(center=(0.4, 0, -0.3), half_extents=(0.5, 0.4, 0.5), rotation=(0.9, 0.2, 0, 0.4)),
    Plane(center=(0, 0, -1)),
    Sphere(center=(-0.6, -0.5, 0), radius=0.7),
    Sphere(center=(-0.7, -0.1, 0.1), radius=0.6),
    Cylinder(center=(0.2, 1, 0.4), radius=0.3, half_height=0.8, rotation=(0.8, 0.5, 0, 0)),
    Ellipsoid(center=(0.9, -1.2, 0.4), semi_axes=(0.5, 0.2, 0.3), rotation=(0.8, 0, 0.5, 0)),
    Cylinder(center=(0, -1, 0.5), radius=0.01, half_height=2, rotation=(0.8, 0.1, 0.5, 0)),  # thinner than a pixel
    Sphere(center=(0.1, -1.5, 0.9), radius=0.02),
    Panel(center=(0, 0.5, 1.4), half_extents=(1.2, 0.5), rotation=(0.3, 1, 0, 0), material=GLOW),
    Panel(center=(-1.5, 0, 0.5), half_extents=(0.5, 0.5), rotation=(1, 0.3, 0.4, 0)),
    Sphere(center=(1.4, 0, 0.6), radius=0.35, material=GLOW),
    Sphere(center=(0, -7, 0), radius=0.5),  # behind two of the cameras
    Box(center=(0, 0, 0), half_extents=(9, 9, 9)),  # round all of them
)


def alone(scene: Scene) -> np.ndarray:
    """The slow way: a picture of every object alone."""
    masks = []
    for number in range(len(scene.objects)):
        only = scene.without(*(other for other in range(len(scene.objects)) if other != number))
        masks.append(first_hit_features(SceneBatch.of([only]), WIDTH, HEIGHT, RAYS).coverage(0, 0).numpy())
    return np.stack(masks)


def coverage(scenes: list[Scene], device: str = "cpu") -> Coverage:
    batch = SceneBatch.of(scenes, device)
    found = object_coverage(batch, visible_fragments(batch, WIDTH, HEIGHT, RAYS), RAYS)
    return Coverage(*(masks.cpu() for masks in found))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("camera", CAMERAS)
def test_amodal_masks_are_those_of_scenes_of_one_object(camera, device):
    scenes = [
        Scene(camera=CAMERAS[camera], objects=OBJECTS),
        Scene(camera=PERSPECTIVE, objects=(OBJECTS[2], OBJECTS[0])),
    ]
    found = coverage(scenes, device)
    expected = np.concatenate([alone(scene) for scene in scenes])
    slivers = found.visible.numpy() > expected  # seen by rays that alone are not sent, as the pixel's corners all miss
    assert (found.visible.numpy() - expected)[slivers].max() < 0.2
    assert slivers.mean() < 2e-3
    expected = np.maximum(expected, found.visible.numpy())
    assert (expected[: len(OBJECTS)].sum((1, 2)) > 0).sum() >= 11
    assert ((expected > 0) & (expected < 1)).sum() > 200
    # Rays of a GPU, whose arithmetic rounds otherwise, may pass an edge on its other side.
    np.testing.assert_allclose(found.amodal, expected, atol=1e-6 if device == "cpu" else 1.01 / RAYS)


def test_visible_masks_are_those_of_the_fragments():
    scenes = [Scene(camera=PERSPECTIVE, objects=OBJECTS[:-1]), Scene(camera=PERSPECTIVE, objects=OBJECTS[2:4])]
    features = first_hit_features(SceneBatch.of(scenes), WIDTH, HEIGHT, RAYS)
    found = coverage(scenes)
    places = [(index, number) for index, scene in enumerate(scenes) for number in range(len(scene.objects))]
    for mask, place in zip(found.visible, places, strict=True):
        torch.testing.assert_close(mask, features.coverage(*place))
    assert found.visible[:12].sum(0).max() <= 1 + 1e-5


def test_what_is_hidden_is_covered_all_the_same():
    """A square of edge 2 at distance 4, behind a wall; at 90° it is 29 / 4 pixels wide, about the middle."""
    camera = Camera(position=(0, -4, 0), look_at=(0, 0, 0), vertical_fov_degrees=90)
    upright = (0.5**0.5, 0.5**0.5, 0, 0)
    square = Panel(center=(0, 0, 0), half_extents=(1, 1), rotation=upright)
    wall = Panel(center=(0, -1, 0), half_extents=(9, 9), rotation=upright)
    found = coverage([Scene(camera=camera, objects=(square, wall))])
    assert found.visible[0].sum() == 0
    assert found.amodal[0].sum() == pytest.approx((HEIGHT / 4) ** 2, rel=0.01)
    rows, columns = np.nonzero(found.amodal[0].numpy())
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 18, 16, 24)
