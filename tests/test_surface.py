"""What the ray model knows of surface points, against the laws of optics and the core's own BSDF."""

import math

import numpy as np
import pytest
import torch
import warp as wp
from kernels import DEVICES, run, uniform_numbers

from luxel.core.intersect import MISS
from luxel.core.principled import bsdf_of, evaluate_bsdf, material_of, sample_bsdf
from luxel.core.rays import Rays
from luxel.core.scene_batch import SceneBatch
from luxel.models.surface import (
    SurfacePoints,
    beyond_interface,
    first_surface,
    mirror_rays,
    surface_optics,
    transmitted_rays,
)
from luxel.scene import Box, Camera, Cylinder, Material, Panel, Plane, Scene, Sphere, Varied
from luxel.scene.description import Object

AHEAD = Camera(position=(0, 0, 0), look_at=(0, 0, -1), up=(0, 1, 0))
GLASS = Material(transmission=1.0, specular=0.5, base_color=(0.81, 0.64, 1.0))
ETA = 1.5  # of a specular of 0.5: ((1.5 − 1) / (1.5 + 1))² = 0.04
BALL = Sphere(center=(0, 0, -5), radius=1.0, material=GLASS)
BEYOND = Sphere(center=(0, 0, -9), radius=2.0)
LANE = torch.zeros(1, dtype=torch.int64)


def batch_of(*objects: Object, device: str = "cpu") -> SceneBatch:
    return SceneBatch.of([Scene(objects=objects, camera=AHEAD)], device)


def shoot(batch: SceneBatch, *directions: tuple[float, float, float]) -> SurfacePoints:
    along = torch.tensor(directions, dtype=torch.float32, device=batch.device)
    return first_surface(batch, Rays(torch.zeros_like(along), along, torch.zeros_like(along[:, 0]).int()))


@pytest.mark.parametrize("device", DEVICES)
def test_a_ray_arrives_on_the_near_side_and_the_normal_faces_it(device):
    points = shoot(batch_of(BALL, BEYOND, device=device), (0, 0, -3), (0, 0, 1))
    assert points.object_id.tolist() == [0, MISS]
    torch.testing.assert_close(points.point[0].cpu(), torch.tensor([0.0, 0.0, -4.0]))
    torch.testing.assert_close(points.direction[0].cpu(), torch.tensor([0.0, 0.0, -1.0]))
    torch.testing.assert_close(points.normal[0].cpu(), torch.tensor([0.0, 0.0, 1.0]))
    assert (points.is_front[0].item(), points.is_inside[0].item()) == (True, False)


ROOM = {
    "sphere": Sphere(center=(0, 0, 0), radius=2.0),
    "box": Box(center=(0, 0, 0), half_extents=(1.0, 1.0, 2.0)),
    "cylinder": Cylinder(center=(0, 0, 0), radius=1.0, half_height=2.0),
    "plane": Plane(center=(0, 0, -2), normal=(0, 0, -1)),
}


@pytest.mark.parametrize("shape", list(ROOM))
def test_from_inside_the_normal_is_turned(shape):
    points = shoot(batch_of(ROOM[shape]), (0, 0, -1))
    assert (points.is_front.tolist(), points.is_inside.tolist()) == ([False], [True])
    torch.testing.assert_close(points.point, torch.tensor([[0.0, 0.0, -2.0]]))
    torch.testing.assert_close(points.normal, torch.tensor([[0.0, 0.0, 1.0]]))


@pytest.mark.parametrize("outline", ["rectangle", "ellipse"])
@pytest.mark.parametrize("front", [True, False])
def test_a_panel_faces_the_viewer_with_either_side_and_has_no_inside(outline, front):
    turn = (1.0, 0.0, 0.0, 0.0) if front else (0.0, 1.0, 0.0, 0.0)
    points = shoot(batch_of(Panel(center=(0, 0, -3), half_extents=(1, 2), rotation=turn, outline=outline)), (0, 0, -1))
    torch.testing.assert_close(points.normal, torch.tensor([[0.0, 0.0, 1.0]]))
    assert (points.is_front.tolist(), points.is_inside.tolist()) == ([front], [False])


def test_no_rays_arrive_nowhere():
    none = torch.zeros(0, 3)
    points = first_surface(batch_of(BALL), Rays(none, none, torch.zeros(0, dtype=torch.int32)))
    assert [len(field) for field in points] == [0] * len(points)


def test_snell():
    batch = batch_of(Plane(center=(0, 0, -2), normal=(0, 0, 1), material=GLASS))
    along = (math.sin(0.5), 0.0, -math.cos(0.5))
    points = shoot(batch, along)
    into = beyond_interface(batch, points, torch.tensor([ETA])).direction[0]
    assert into[0].item() == pytest.approx(math.sin(0.5) / ETA, rel=1e-5)
    assert into[2].item() == pytest.approx(-math.sqrt(1 - (math.sin(0.5) / ETA) ** 2), rel=1e-5)
    straight_on = beyond_interface(batch, points, torch.ones(1)).direction[0]
    torch.testing.assert_close(straight_on, torch.tensor(along))
    total = beyond_interface(batch, points, torch.tensor([0.3])).direction[0]
    torch.testing.assert_close(total, torch.tensor([along[0], 0.0, -along[2]]))


def test_optics_by_hand():
    batch = batch_of(BALL)
    optics = surface_optics(batch, shoot(batch, (0, 0, -1)))
    torch.testing.assert_close(optics.reflectance[0], torch.full((3,), 0.04), rtol=1e-4, atol=0)
    torch.testing.assert_close(optics.transmittance[0], 0.96 * torch.tensor([0.81, 0.64, 1.0]), rtol=1e-4, atol=0)
    torch.testing.assert_close(optics.diffuse[0], torch.zeros(3))
    torch.testing.assert_close(optics.eta, torch.tensor([ETA]), rtol=1e-5, atol=0)
    chalk = batch_of(Sphere(center=(0, 0, -5), radius=1.0, material=Material(base_color=(0.2, 0.4, 0.6), specular=0)))
    optics = surface_optics(chalk, shoot(chalk, (0, 0, -1)))
    torch.testing.assert_close(optics.diffuse[0], torch.tensor([0.2, 0.4, 0.6]))
    assert not optics.reflectance.any()
    assert not optics.transmittance.any()


@pytest.mark.parametrize("device", DEVICES)
def test_secondary_rays_by_hand(device):
    batch, lane = batch_of(BALL, BEYOND, device=device), LANE.to(device)
    points = shoot(batch, (0, 0, -1))
    mirror = mirror_rays(batch, points, lane)
    assert mirror.points.object_id.tolist() == [MISS]
    torch.testing.assert_close(mirror.points.direction[0].cpu(), torch.tensor([0.0, 0.0, 1.0]))
    transmitted = transmitted_rays(batch, points, surface_optics(batch, points).eta, lane)
    assert transmitted.points.object_id.tolist() == [1]
    assert transmitted.stays_inside.tolist() == [False]
    torch.testing.assert_close(transmitted.origin[0].cpu(), torch.tensor([0.0, 0.0, -6.0]))
    torch.testing.assert_close(transmitted.points.point[0].cpu(), torch.tensor([0.0, 0.0, -7.0]))


def test_a_pane_shifts_what_is_seen_through_it():
    """A ray leaves a slab of parallel faces in the direction in which it came, d tan θ' aside."""
    batch = batch_of(Box(center=(0, 0, -3), half_extents=(5.0, 5.0, 0.5), material=GLASS), BEYOND)
    along = torch.tensor([[math.sin(0.3), 0.0, -math.cos(0.3)]])
    points = shoot(batch, tuple(along[0].tolist()))
    transmitted = transmitted_rays(batch, points, torch.tensor([ETA]), LANE)
    torch.testing.assert_close(transmitted.points.direction, along)
    aside = 2.5 * math.tan(0.3) + math.tan(math.asin(math.sin(0.3) / ETA))
    torch.testing.assert_close(transmitted.origin, torch.tensor([[aside, 0.0, -3.5]]))


def test_what_is_inside_glass_is_met_before_its_far_side():
    kernel = Sphere(center=(0, 0, -5), radius=0.4)
    batch = batch_of(BALL, kernel)
    points = shoot(batch, (0, 0, -1))
    transmitted = transmitted_rays(batch, points, torch.tensor([ETA]), LANE)
    assert transmitted.points.object_id.tolist() == [1]
    assert transmitted.stays_inside.tolist() == [True]
    torch.testing.assert_close(transmitted.origin, points.point)


def test_from_inside_glass_a_ray_leaves_it_once():
    batch = batch_of(Sphere(center=(0, 0, 0), radius=1.0, material=GLASS), BEYOND)
    points = shoot(batch, (0, 0, -1))
    transmitted = transmitted_rays(batch, points, torch.tensor([ETA]), LANE)
    assert transmitted.points.object_id.tolist() == [1]
    assert transmitted.stays_inside.tolist() == [False]
    torch.testing.assert_close(transmitted.origin, torch.tensor([[0.0, 0.0, -1.0]]))


def test_from_under_water_nothing_comes_back():
    batch = batch_of(Plane(center=(0, 0, -2), normal=(0, 0, 1), material=GLASS), BEYOND)
    points = shoot(batch, (0, 0.8, -1), (0, 0, -1))
    transmitted = transmitted_rays(batch, points, torch.tensor([ETA, ETA]), torch.tensor([0, 1]))
    assert transmitted.points.object_id.tolist() == [MISS, 1]
    assert transmitted.stays_inside.tolist() == [True, True]


def test_scenes_of_different_sizes_do_not_disturb_each_other():
    scenes = [Varied()(4, index) for index in range(5)]
    together = SceneBatch.of(scenes)
    directions = torch.tensor([[0.1, 0.05, -1.0], [-0.2, 0.1, -1.0], [0.0, -0.2, -1.0]])
    hits = 0
    for number, scene in enumerate(scenes):
        alone, world = SceneBatch.of([scene]), directions @ together.camera_rotation[number].T
        origin = together.camera_position[number].expand(3, 3)
        one = first_surface(alone, Rays(origin, world, torch.zeros(3, dtype=torch.int32)))
        other = first_surface(together, Rays(origin, world, torch.full((3,), number, dtype=torch.int32)))
        hit = one.object_id != MISS
        hits += int(hit.sum())
        assert torch.equal(hit, other.object_id != MISS)
        assert torch.equal(together.number_in_scene[other.object_id[hit]], one.object_id[hit])
        assert torch.equal(one.point, other.point)
    assert hits > 5


SAMPLES = 200_000
SMOOTH = {
    "glass": Material(base_color=(0.81, 0.64, 1.0), transmission=1.0, roughness=0.0, specular=0.7),
    "half metal": Material(base_color=(0.9, 0.6, 0.3), metallic=0.6, transmission=1.0, roughness=0.0),
    "metal": Material(base_color=(0.9, 0.6, 0.3), metallic=1.0, roughness=0.0),
    "metal without reflection": Material(base_color=(0.9, 0.6, 0.3), metallic=1.0, roughness=0.0, specular=0.0),
}


@wp.kernel(enable_backward=False)
def bsdf_samples(
    base_color: wp.vec3,
    metallic: float,
    transmission: float,
    eta: float,
    wi: wp.vec3,
    u: wp.array[wp.vec3],
    weight: wp.array[wp.vec3],
    wo: wp.array[wp.vec3],
):
    i = wp.tid()
    bsdf = bsdf_of(material_of(base_color, metallic, 0.0, transmission, eta), wi)
    wo[i] = sample_bsdf(bsdf, u[i])
    found = evaluate_bsdf(bsdf, wo[i])
    if found.density > 0.0:
        weight[i] = found.value / found.density


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("name", list(SMOOTH))
def test_smooth_surfaces_are_worth_what_the_bsdf_says(name, inside):
    """Reflectance and transmittance against samples of the BSDF, from both sides."""
    m = SMOOTH[name]
    batch = batch_of(Sphere(center=(0, 0, 0.3) if inside else (0, 0, -5), radius=1.0, material=m))
    points = shoot(batch, (0.1, 0.05, -1))
    assert points.is_inside.item() == inside
    optics, eta = surface_optics(batch, points), batch.eta.item()
    cosine = -(points.direction @ points.normal[0]).item() * (-1 if inside else 1)
    wi = wp.vec3(math.sqrt(1 - cosine**2), 0.0, cosine)
    u = uniform_numbers(SAMPLES, 3, seed=0)
    weight, wo = run(bsdf_samples, wp.vec3(*m.base_color), m.metallic, m.transmission, eta, wi, u)
    reflects = wo[:, 2:] * cosine > 0
    reflectance = np.where(reflects, weight, 0).mean(0)
    np.testing.assert_allclose(reflectance, optics.reflectance[0], rtol=0.02, atol=0.01)
    expected = optics.transmittance[0]
    if not inside:  # the BSDF crosses one surface, the estimate two
        expected = expected / (torch.tensor(m.base_color).sqrt() * eta**2)
    np.testing.assert_allclose(np.where(reflects, 0, weight).mean(0), expected, rtol=0.02, atol=0.01)
