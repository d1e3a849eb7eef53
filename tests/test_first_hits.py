"""First-hit features: against a slow count of rays, and what they promise."""

import math

import numpy as np
import pytest
import torch
from pinhole import primary_rays
from scipy import ndimage

from luxel import InputError
from luxel.core.intersect import MISS
from luxel.scene import Box, Camera, Material, Panel, Plane, Scene, Sphere
from luxel.trace.path import PathTracer

WIDTH, HEIGHT = 37, 23
RED, BLUE = Material(base_color=(0.8, 0.1, 0.2)), Material(base_color=(0.1, 0.2, 0.9))
CAMERA = Camera(position=(0.3, -5.0, 1.1), look_at=(0.0, 0.0, 0.2), vertical_fov_degrees=37)
BALLS = Scene(
    objects=(
        Sphere(center=(-0.6, 0, 0), radius=0.7, material=RED),
        Sphere(center=(0.5, 0.4, 0.1), radius=0.8, material=BLUE),
    ),
    camera=CAMERA,
)
ROOM = Scene(
    objects=(
        Plane(center=(0, 0, -1), material=BLUE),
        Box(center=(0.4, 0, -0.5), half_extents=(0.5, 0.4, 0.5), rotation=(0.9, 0, 0, 0.4), material=RED),
        Panel(center=(-0.9, 0.3, 0), half_extents=(0.4, 0.6), rotation=(0.7, -0.7, 0, 0), material=RED),
    ),
    camera=CAMERA,
)


def sphere_distances(scene: Scene, fine: int) -> np.ndarray:
    """Distances to every sphere along `fine`² rays a pixel, infinite where missed: [objects, height · fine, …]."""
    rays = primary_rays(scene.camera, WIDTH * fine, HEIGHT * fine)
    found = []
    for ball in scene.objects:
        vector = np.array(ball.center) - rays.origin
        middle = rays.directions @ vector
        excess = ball.radius**2 - vector @ vector + middle**2
        found.append(np.where(excess > 0, middle - np.sqrt(np.maximum(excess, 0)), np.inf))
    return np.stack(found)


def test_coverage_and_albedo_are_those_of_many_rays():
    fine = 16
    distances = sphere_distances(BALLS, fine)
    first = np.where(np.isinf(distances.min(0)), -1, distances.argmin(0)).reshape(HEIGHT, fine, WIDTH, fine)
    shares = [np.mean(first == number, axis=(1, 3)) for number in range(2)]
    features = PathTracer().features([ROOM, BALLS], WIDTH, HEIGHT)
    for number, share in enumerate(shares):
        mask = features.coverage(1, number).numpy()
        np.testing.assert_allclose(mask, share, atol=0.12)  # 32 rays a pixel see an edge's share to some 1/10
        assert np.abs(mask - share).mean() < 2e-3
        assert mask.sum() == pytest.approx(share.sum(), rel=5e-3)
    albedo = sum(
        share[..., None] * np.array(ball.material.base_color) for share, ball in zip(shares, BALLS.objects, strict=True)
    )
    assert np.abs(features.albedo[1].numpy() - albedo).mean() < 2e-3


def test_depth_number_and_normal_are_those_of_the_pixels_centre_where_one_object_fills_it():
    distances = sphere_distances(BALLS, 1)
    rays = primary_rays(CAMERA, WIDTH, HEIGHT)
    features = PathTracer().features([BALLS], WIDTH, HEIGHT)
    for number, ball in enumerate(BALLS.objects):
        # Not next to an edge, where rays have looked none of which goes through the centre.
        whole = ndimage.binary_erosion(features.coverage(0, number).numpy() == 1, np.ones((3, 3)))
        assert whole.sum() > 20
        np.testing.assert_array_equal(features.object_number[0].numpy()[whole], number)
        distance = distances[number][whole]
        forward = np.array(CAMERA.look_at) - np.array(CAMERA.position)
        forward /= np.linalg.norm(forward)
        depth = distance * (rays.directions[whole] @ forward)
        np.testing.assert_allclose(features.depth[0].numpy()[whole], depth, rtol=1e-5)
        normal = (rays.origin + distance[:, None] * rays.directions[whole] - ball.center) / ball.radius
        np.testing.assert_allclose(features.normal[0].numpy()[whole], normal, atol=2e-5)


def test_the_faces_of_an_object_count_together():
    """In its coverage, and in which object a pixel shows most of, even if none of its faces covers most."""
    turns = np.random.default_rng(7).normal(size=(7, 4))
    boxes = [Box(center=(0, 0, 0.3), half_extents=(0.7, 0.5, 0.6), rotation=tuple(turn)) for turn in turns]
    scenes = [Scene(objects=(Plane(center=(0, 0, -1)), box), camera=CAMERA) for box in boxes]
    features = PathTracer().features(scenes, WIDTH, HEIGHT)
    fragments, by_several_faces = features.fragments, 0
    for i in range(len(scenes)):
        shares = torch.stack([features.coverage(i, number) for number in range(2)])
        covered = torch.cat([1 - shares.sum(0, keepdim=True), shares])
        torch.testing.assert_close(features.object_number[i], covered.argmax(0) - 1)
        here = fragments.scene == i
        place = fragments.object_number[here].long() * HEIGHT * WIDTH + fragments.pixel[here]
        largest = torch.zeros(2 * HEIGHT * WIDTH).scatter_reduce(0, place, fragments.coverage[here], "amax")
        floor_face, box_face = largest.unflatten(0, (2, HEIGHT, WIDTH))
        by_several_faces += int(((features.object_number[i] == 1) & (box_face < floor_face)).sum())
    assert by_several_faces > 0


def test_the_depth_of_several_faces_is_that_of_the_nearest():
    """Of a box whose edge, nearer than its faces, halves the middle row of pixels."""
    box = Box(center=(0, 0, 0), half_extents=(3, 1, 1), rotation=(math.cos(math.pi / 8), math.sin(math.pi / 8), 0, 0))
    camera = Camera(position=(0, -5, 0), look_at=(0, 0, 0), vertical_fov_degrees=37)
    features = PathTracer().features([Scene(objects=(box,), camera=camera)], WIDTH, HEIGHT)
    assert (features.fragments.pixel // WIDTH == HEIGHT // 2).sum() == 2 * WIDTH
    above, middle, below = features.depth[0][HEIGHT // 2 - 1 : HEIGHT // 2 + 2]
    pixel = 2 * math.tan(math.radians(37 / 2)) / HEIGHT * 5
    edge = 5 - math.sqrt(2)
    assert ((middle > edge) & (middle < edge + pixel / 2)).all()
    assert (middle < torch.minimum(above, below)).all()


def test_sky_has_no_object_and_is_infinitely_far():
    features = PathTracer().features([BALLS], WIDTH, HEIGHT)
    sky = features.object_number[0] == MISS
    assert sky[0, 0]
    assert torch.isinf(features.depth[0][sky]).all()
    assert torch.isfinite(features.depth[0][~sky]).all()
    assert not features.albedo[0, 0, 0].any()


def test_normals_face_the_viewer_on_every_shape_and_scenes_do_not_mix():
    rays = primary_rays(CAMERA, WIDTH, HEIGHT)
    both, alone = PathTracer().features([ROOM, BALLS], WIDTH, HEIGHT), PathTracer().features([ROOM], WIDTH, HEIGHT)
    for one, other in zip(both[:4], alone[:4], strict=True):
        torch.testing.assert_close(one[:1], other, rtol=0, atol=0)
    whole = both.normal[0].norm(dim=-1) > 0.9999
    assert whole.sum() > 0.6 * WIDTH * HEIGHT
    cosine = (both.normal[0].numpy() * rays.directions).sum(-1)
    assert (cosine[whole.numpy()] < 1e-3).all()
    assert sorted(both.object_number[0].unique().tolist()) == [-1, 0, 1, 2]


def test_a_picture_without_pixels_is_told():
    with pytest.raises(InputError, match="width is 0"):
        PathTracer().features([BALLS], 0, 3)
