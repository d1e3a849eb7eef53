"""Which objects are narrow in a picture, and which pixels they may show in."""

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run, unit_vectors

from luxel.core.scene_batch import SceneBatch
from luxel.core.scenes import Scenes, launchable
from luxel.core.thin_objects import pixel_range, projected_half_width
from luxel.scene import Camera, Ellipsoid, Panel, Scene
from luxel.scene.camera import rotation_matrix

ROTATION = (0.8, 0.36, 0.48, 0.0)


@wp.kernel(enable_backward=False)
def half_widths(scenes: Scenes, object_id: int, towards: wp.array[wp.vec3], width: wp.array[float]):
    i = wp.tid()
    width[i] = projected_half_width(scenes, object_id, towards[i])


@pytest.mark.parametrize("device", DEVICES)
def test_the_narrowest_half_width_is_that_of_outlines_by_brute_force(device):
    """Across the view an ellipsoid reaches |Mᵀn| along n; the panel is taken for an ellipse, without a thickness."""
    objects = (
        Ellipsoid(center=(0, 0, 0), semi_axes=(1.0, 0.25, 2.0), rotation=ROTATION),
        Panel(center=(0, 0, 0), half_extents=(0.75, 0.1), rotation=ROTATION),
    )
    camera = Camera(position=(0, -5, 0), look_at=(0, 0, 0))
    scenes = launchable(SceneBatch.of([Scene(objects=objects, camera=camera)], device))
    towards = unit_vectors(97, seed=5)
    angle = np.linspace(0, np.pi, 2000)
    for row, scale in enumerate([(1.0, 0.25, 2.0), (0.75, 0.1, 0.0)]):
        axes = np.array(scale)[:, None] * rotation_matrix(ROTATION).T
        found = run(half_widths, scenes, row, towards, device=device)[0]
        for view, width in zip(towards.astype(float), found, strict=True):
            _, _, (_, x, y) = np.linalg.svd(view[None])
            across = np.cos(angle)[:, None] * x + np.sin(angle)[:, None] * y
            assert width == pytest.approx(np.linalg.norm(across @ axes.T, axis=1).min(), rel=1e-3, abs=2e-3)


@wp.kernel(enable_backward=False)
def ranges(extent: wp.array[wp.vec2], depth: wp.array[wp.vec2], scale: float, size: int, found: wp.array[wp.vec2i]):
    i = wp.tid()
    found[i] = pixel_range(extent[i][0], extent[i][1], depth[i][0], depth[i][1], scale, size)


@pytest.mark.parametrize("device", DEVICES)
def test_pixels_of_a_range_hold_all_that_is_within_it(device):
    """Points of it are in a pixel of the range or outside the picture; ranges beside the picture are empty."""
    rng, scale, size = np.random.default_rng(2), 0.05, 24
    low = rng.uniform(-3, 3, 401)
    extent = np.stack([low, low + rng.uniform(0, 1, 401)], 1).astype(np.float32)
    near = rng.uniform(0.5, 4, 401)
    depth = np.stack([near, near + rng.uniform(0, 2, 401)], 1).astype(np.float32)
    first, last = run(ranges, extent, depth, scale, size, device=device)[0].T
    place, away = rng.random((2, 401, 53))
    points = (1 - place) * extent[:, :1] + place * extent[:, 1:]
    pixels = np.floor(points / ((1 - away) * depth[:, :1] + away * depth[:, 1:]) / scale + size / 2)
    inside = (pixels >= 0) & (pixels < size)
    assert inside.any()
    assert ((first[:, None] <= pixels) & (pixels <= last[:, None]))[inside].all()
    assert run(ranges, np.array([[-9, -8.5]], np.float32), depth[:1], scale, size)[0].tolist() == [[0, -1]]
