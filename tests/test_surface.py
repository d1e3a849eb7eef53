"""What rays meet, against the tracer's own idea of it and the laws of optics."""

import math

import pytest
import torch

from luxel.geometry.arrays import dot, normalised
from luxel.geometry.intersect import NOTHING
from luxel.geometry.vectors import Vector
from luxel.models.surface import (
    Points,
    clearance,
    frame,
    fresnel,
    material_at,
    meet,
    mirror_direction,
    reflected,
    refract,
    refracted,
    refractive_index,
    seen,
    surfaces,
)
from luxel.scene import Camera, Ellipsoid, Material, Scene, Sphere, Varied, encode
from luxel.trace import bsdf
from luxel.trace.packed import Materials, pack
from luxel.trace.packed import refractive_index as index_of_the_tracer

AHEAD = Camera(position=(0, 0, 0), look_at=(0, 0, -1), up=(0, 1, 0))  # camera space is world space
GLASS = Material(transmission=1.0, specular=0.5, base_color=(0.81, 0.64, 1.0))
BALL = Sphere(center=(0, 0, -5), radius=1.0, material=GLASS)
BEYOND = Sphere(center=(0, 0, -9), radius=2.0)


def read(*objects, camera=AHEAD):
    tokens = encode([Scene(objects=objects, camera=camera)])
    return surfaces(torch.from_numpy(tokens.objects), torch.from_numpy(tokens.mask))


def shoot(scene, *directions) -> Points:
    along = normalised(torch.tensor(directions, dtype=torch.float32).T)
    lanes = torch.zeros(len(directions), dtype=torch.int64)
    return meet(scene, lanes, torch.zeros_like(along), along, torch.full_like(lanes, NOTHING))


def test_a_ray_meets_the_near_side_and_the_normal_faces_it():
    points = shoot(read(BALL, BEYOND), (0, 0, -1), (0, 0, 1))
    assert points.item.tolist() == [0, NOTHING]
    torch.testing.assert_close(points.position[:, 0], torch.tensor([0.0, 0.0, -4.0]))
    torch.testing.assert_close(points.normal[:, 0], torch.tensor([0.0, 0.0, 1.0]))
    assert not points.inside[0]


def test_from_inside_the_normal_is_turned():
    inside = shoot(read(Sphere(center=(0, 0, 0), radius=2.0)), (0, 0, -1))
    assert inside.inside.tolist() == [True]
    torch.testing.assert_close(inside.normal[:, 0], torch.tensor([0.0, 0.0, 1.0]))


def test_no_rays_meet_nothing():
    none = torch.zeros(0, dtype=torch.int64)
    points = meet(read(BALL), none, torch.zeros(3, 0), torch.zeros(3, 0), none)
    assert [len(field[0] if field.ndim == 2 else field) for field in points] == [0] * 6


def test_objects_in_camera_space_are_those_of_the_world():
    """A turned camera turns what is seen, and changes neither distances nor what is hit."""
    camera = Camera(position=(0.4, -6, 1.3), look_at=(0, 0.2, 0), up=(0.1, 0.2, 1))
    egg = Ellipsoid(center=(0.1, 0.3, 0.2), semi_axes=(0.3, 0.7, 1.1), rotation=(0.6, 0.3, -0.5, 0.4))
    scene = read(egg, camera=camera)
    torch.testing.assert_close(scene.shapes.volume[0, 0].item(), 0.3 * 0.7 * 1.1, rtol=1e-5, atol=0)
    spread = 0.15 * torch.randn(400, 3, generator=torch.Generator().manual_seed(0)) - torch.tensor([0.0, 0.0, 1.0])
    points = shoot(scene, *spread.tolist())
    hit = points.at(points.hit.nonzero()[:, 0])
    assert 0 < len(hit.item) < 400
    unit = torch.einsum("ijc,jl->il", scene.shapes.unit_from_world[:, :, 0], hit.position - scene.shapes.center[:, 0])
    torch.testing.assert_close(unit.norm(dim=0), torch.ones(len(hit.item)), rtol=0, atol=1e-5)


def test_snell():
    normal = torch.tensor([[0.0], [0.0], [1.0]])
    into = torch.tensor([[math.sin(0.5)], [0.0], [-math.cos(0.5)]])
    out = refract(into, normal, torch.tensor([1.5]))
    assert out[0].item() == pytest.approx(math.sin(0.5) / 1.5, rel=1e-6)
    assert out[2].item() < 0
    torch.testing.assert_close(refract(into, normal, torch.ones(1)), into)
    total = refract(into, normal, torch.tensor([0.3]))
    torch.testing.assert_close(total, into * torch.tensor([[1.0], [1.0], [-1.0]]))


def test_reflectance_is_the_tracers():
    cosine = torch.linspace(0.01, 1, 53)
    for specular in (0.001, 0.5, 1.0):
        eta = refractive_index(torch.tensor(specular), torch.tensor(1.0))
        assert eta.item() == pytest.approx(index_of_the_tracer(specular, True), rel=1e-5)
        expected, _ = bsdf.dielectric_fresnel(cosine, eta.expand(53))
        torch.testing.assert_close(fresnel(cosine, eta.expand(53)), expected, rtol=1e-3, atol=1e-6)
        from_inside, _ = bsdf.dielectric_fresnel(-cosine, eta.expand(53))
        torch.testing.assert_close(fresnel(cosine, 1 / eta.expand(53)), from_inside, rtol=1e-3, atol=1e-6)


def test_rays_onward_by_hand():
    scene = read(BALL, BEYOND)
    points = shoot(scene, (0, 0, -1))
    material = material_at(scene, points)
    torch.testing.assert_close(material.fresnel, torch.tensor([0.04]), rtol=1e-4, atol=0)
    torch.testing.assert_close(material.through[:, 0], 0.96 * torch.tensor([0.81, 0.64, 1.0]), rtol=1e-4, atol=0)
    lanes = torch.zeros(1, dtype=torch.int64)
    back = reflected(scene, points, lanes)
    assert back.points.item.tolist() == [NOTHING]
    torch.testing.assert_close(mirror_direction(points)[:, 0], torch.tensor([0.0, 0.0, 1.0]))
    through = refracted(scene, points, material.eta, lanes)
    assert through.points.item.tolist() == [1]
    torch.testing.assert_close(through.origin[:, 0], torch.tensor([0.0, 0.0, -6.0]))
    torch.testing.assert_close(through.points.position[:, 0], torch.tensor([0.0, 0.0, -7.0]))


def test_what_is_inside_glass_is_met_before_its_far_side():
    kernel = Sphere(center=(0, 0, -5), radius=0.4)
    scene = read(BALL, kernel)
    points = shoot(scene, (0, 0, -1))
    through = refracted(scene, points, material_at(scene, points).eta, torch.zeros(1, dtype=torch.int64))
    assert through.points.item.tolist() == [1]
    torch.testing.assert_close(through.origin[:, 0], points.position[:, 0])


def test_frames_are_orthonormal_even_when_seen_straight_on():
    scene = read(BALL)
    points = shoot(scene, (0, 0, -1), (0.1, 0.05, -1))
    axes = torch.stack(list(frame(points)))
    gram = torch.einsum("icl,jcl->lij", axes, axes)
    torch.testing.assert_close(gram, torch.eye(3).expand(2, 3, 3), rtol=0, atol=1e-5)
    towards_viewer = dot(axes[0][:, 1:], -points.direction[:, 1:])
    assert towards_viewer.item() > 0


def test_apparent_size_and_clearance_by_hand():
    scene = read(Sphere(center=(0, 0, -2), radius=0.5), Sphere(center=(0, 3, -5), radius=1.0))
    there = seen(scene, shoot(scene, (0, 0, -1)))
    distance = math.hypot(3, 3.5)
    torch.testing.assert_close(there.distance[1], torch.tensor([distance]))
    torch.testing.assert_close(there.size[1], torch.tensor([1 / distance]))
    torch.testing.assert_close(there.height[1], torch.tensor([1 / distance]))
    past, where = clearance(there.shapes, torch.zeros(3, 1, 1), torch.tensor([[[0.0]], [[0.0]], [[-1.0]]]))
    torch.testing.assert_close(past[:, 0], torch.tensor([0.0, 3.0]))
    torch.testing.assert_close(where[:, 0], torch.tensor([2.0, 5.0]))


def test_scenes_of_different_sizes_do_not_disturb_each_other():
    scenes = [Varied()(4, index) for index in range(5)]
    tokens = encode(scenes)
    together = surfaces(torch.from_numpy(tokens.objects), torch.from_numpy(tokens.mask))
    directions = torch.tensor([[0.1, 0.05, -1.0], [-0.2, 0.1, -1.0], [0.0, -0.2, -1.0]])
    for number, scene in enumerate(scenes):
        alone = encode([scene])
        own = surfaces(torch.from_numpy(alone.objects), torch.from_numpy(alone.mask))
        along, nowhere = normalised(directions.T), torch.full((3,), NOTHING)
        one = meet(own, torch.zeros(3, dtype=torch.int64), torch.zeros(3, 3), along, nowhere)
        other = meet(together, torch.full((3,), number), torch.zeros(3, 3), along, nowhere)
        assert torch.equal(one.item, other.item)
        torch.testing.assert_close(one.position, other.position)


def test_smooth_surfaces_are_worth_what_the_tracers_bsdf_says():
    """Reflectance and transmittance of smooth metal and glass against samples of the BSDF, from both sides."""
    materials = {
        "glass": Material(base_color=(0.81, 0.64, 1.0), transmission=1.0, roughness=0.0, specular=0.7),
        "metal": Material(base_color=(0.9, 0.6, 0.3), metallic=1.0, roughness=0.0),
        "metal without reflection": Material(base_color=(0.9, 0.6, 0.3), metallic=1.0, roughness=0.0, specular=0.0),
    }
    for name, material in materials.items():
        ball = Sphere(center=(0, 0, -5), radius=1.0, material=material)
        for camera in (AHEAD, AHEAD.model_copy(update={"position": (0.0, 0.0, -5.3)})):
            scene = read(ball, camera=camera.model_copy(update={"look_at": (0.0, 0.0, -9.0)}))
            points = shoot(scene, (0.1, 0.05, -1))
            ours = material_at(scene, points)
            packed = pack([Scene(objects=(ball,), camera=camera)], 0, torch.device("cpu"))
            rows = Materials.of([field.expand(200_000) for field in packed.materials[0, 0]])
            cosine = ours.cosine.item() * (-1 if points.inside.item() else 1)
            wi = Vector(*(torch.full((200_000,), value) for value in (math.sqrt(1 - cosine**2), 0.0, cosine)))
            random = Vector.of(torch.rand(3, 200_000, generator=torch.Generator().manual_seed(0)))
            drawn = bsdf.sample(rows, wi, random)
            value, density = bsdf.evaluate(rows, wi, drawn.direction)
            weight = torch.where(drawn.valid, value.stacked() / density.clamp(min=1e-12), 0.0)
            back = (drawn.direction.z * cosine > 0) & drawn.valid
            torch.testing.assert_close(
                torch.where(back, weight, 0.0).mean(1), ours.mirror[:, 0], rtol=0.02, atol=0.01, msg=f"{name} mirror"
            )
            through = torch.where(back, 0.0, weight).mean(1)
            expected = ours.through[:, 0]
            if not points.inside.item():  # the BSDF crosses one surface, the estimate two
                expected = expected / (torch.tensor(material.base_color).sqrt() * ours.eta**2)
            torch.testing.assert_close(through, expected, rtol=0.02, atol=0.01, msg=f"{name} through")
