"""What flickers in motion: pictures of every cause hold still but for a few pixels, and scenes are what they say."""

import numpy as np
import pytest
import torch

from luxel.evaluation.flicker import camera_path, causes, object_path
from luxel.evaluation.stability import jumps
from luxel.image.tonemap import clamp
from luxel.pipeline import Renderer
from luxel.scene import Plane

SCENES = causes()
MOST = {
    "highlights in mirrors": 2,
    "highlights in plastic": 0,
    "highlights in glass": 4,
    "highlights, roughness 0.15": 2,
    "specks of glass": 0,
    "rods in a flat mirror": 0,
    "rods in mirror balls": 0,
    "thin lamps in a flat mirror": 1,
    "lamps in a flat mirror": 0,
    "lamps in mirror balls": 1,
    "lamps in view": 0,
}
"""Pixels of 96² that jump by a quarter of the range in 4 frames, a camera's three hundredths of a unit."""


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer.from_pretrained("ray-small")


@pytest.mark.parametrize("name", list(MOST))
def test_few_pixels_jump(renderer, name):
    frames = np.stack([renderer(frame, 96) for frame in camera_path(SCENES[name], 4, 0.005)])
    assert jumps(clamp(torch.from_numpy(frames))) <= MOST[name]


def test_lamps_in_balls_at_the_edges_of_balls_hold_still_while_balls_move(renderer):
    frames = np.stack([renderer(frame, 128) for frame in object_path(SCENES["lamps in mirror balls"], 5, 0.0057)])
    assert jumps(clamp(torch.from_numpy(frames))) == 0


def test_jumps_are_counted_once_a_pixel_and_frame():
    frames = torch.zeros(4, 2, 3, 3)
    frames[1:, 0, 1, 2] = 0.3
    frames[2, 1, 2] = 0.9
    assert jumps(frames) == 3
    assert jumps(frames, 0.5) == 2


@pytest.mark.parametrize("path", [camera_path, object_path])
def test_a_path_ends_where_it_is_to_and_moves_either_camera_or_objects(path):
    scene = SCENES["lamps in mirror balls"]
    first, *_, last = path(scene, 5, 0.01)
    assert first == scene
    travelled = {
        item.shape if not item.material.is_emissive else "lamp": np.subtract(item.center, before.center)
        for item, before in zip(last.objects, scene.objects, strict=True)
    }
    camera = np.subtract(last.camera.position, scene.camera.position)
    moving, still = (camera, travelled["sphere"]) if path is camera_path else (travelled["sphere"], camera)
    assert np.linalg.norm(moving) == pytest.approx(0.01, rel=0.01)
    assert not still.any()
    assert not travelled["lamp"].any()
    assert not travelled["plane"].any()
    assert any(isinstance(item, Plane) for item in scene.objects)
