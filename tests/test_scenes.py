"""What kernels read of a batch: every field where it belongs, bounds, trees over objects, trees over lights."""

import math

import numpy as np
import pytest
import warp as wp
from kernels import DEVICES, run
from shapes import random_objects
from tracer_scenes import GREY, LAMP, ball, egg, glass, scene

from luxel.core import scene_tables
from luxel.core.lanes import LANES
from luxel.core.scene_batch import SceneBatch, rotation_matrix
from luxel.core.scene_tables import eta_of
from luxel.core.scenes import Scenes, launchable, material_of_object, shape_of
from luxel.core.shapes.kinds import BOX
from luxel.core.trees import OUT_OF_REACH
from luxel.scene import Box, Camera, GradientSky, Material, Panel, Plane, Sun


@wp.kernel(enable_backward=False)
def read_shapes(
    scenes: Scenes,
    row: wp.array[int],
    kind: wp.array[int],
    center: wp.array[wp.vec3],
    scale: wp.array[wp.vec3],
    world_from_unit: wp.array[wp.mat33],
    unit_from_world: wp.array[wp.mat33],
):
    i = wp.tid()
    shape = shape_of(scenes.objects[row[i]])
    kind[i] = shape.kind
    center[i] = shape.center
    scale[i] = shape.scale
    world_from_unit[i] = shape.world_from_unit
    unit_from_world[i] = shape.unit_from_world


@wp.kernel(enable_backward=False)
def read_materials(
    scenes: Scenes,
    row: wp.array[int],
    base_color: wp.array[wp.vec3],
    metallic: wp.array[float],
    roughness: wp.array[float],
    transmission: wp.array[float],
    eta: wp.array[float],
    emission: wp.array[wp.vec3],
    radius: wp.array[float],
    light_number: wp.array[int],
):
    i = wp.tid()
    obj = scenes.objects[row[i]]
    material = material_of_object(obj)
    base_color[i] = material.base_color
    metallic[i] = material.metallic
    roughness[i] = material.roughness
    transmission[i] = material.transmission
    eta[i] = material.eta
    emission[i] = obj.emission
    radius[i] = obj.radius
    light_number[i] = obj.light_number


@wp.kernel(enable_backward=False)
def read_scenes(
    scenes: Scenes,
    number: wp.array[int],
    objects: wp.array[wp.vec2i],
    lights: wp.array[wp.vec2i],
    tree_leaves: wp.array[int],
    horizon: wp.array[wp.vec3],
    zenith: wp.array[wp.vec3],
    sun_radiance: wp.array[wp.vec3],
    sun_chord_squared: wp.array[float],
    camera_position: wp.array[wp.vec3],
    camera_rotation: wp.array[wp.mat33],
    tan_half_fov: wp.array[float],
    key: wp.array[wp.vec2ui],
):
    i = wp.tid()
    row = scenes.scenes[number[i]]
    objects[i] = wp.vec2i(row.first_object, row.end_objects)
    lights[i] = wp.vec2i(row.first_light, row.end_lights)
    tree_leaves[i] = row.tree_leaves
    horizon[i] = row.horizon
    zenith[i] = row.zenith
    sun_radiance[i] = row.sun_radiance
    sun_chord_squared[i] = row.sun_chord_squared
    camera_position[i] = row.camera_position
    camera_rotation[i] = row.camera_rotation
    tan_half_fov[i] = row.tan_half_fov
    key[i] = row.key


@wp.kernel(enable_backward=False)
def read_lights(scenes: Scenes, place: wp.array[int], row: wp.array[int]):
    i = wp.tid()
    row[i] = scenes.light_object[place[i]]


def batch_of_three(device: str) -> SceneBatch:
    """Of 5, 2 and 101 objects; lights are among them, but a plane is none that can be looked for."""
    material = Material(base_color=(0.1, 0.2, 0.3), metallic=0.4, specular=0.9, roughness=0.6, emission=(8, 9, 10))
    first = scene(
        Plane(center=(0, 0, -1), material=LAMP),
        egg(1, 2, 3, (1, 2, 5), material),
        Box(center=(0, 0, 1), half_extents=(2, 3, 6), rotation=(0.6, 0.3, -0.5, 0.4)),
        Panel(center=(1, 0, 1), half_extents=(3, 4), outline="ellipse", material=LAMP),
        ball(0, 0, 0, 1, glass(0.1)),
        background=(1, 2, 3),
    )
    second = scene(ball(0, 0, 0, 1), ball(3, 0, 0, 1), camera=Camera(position=(3, 1, 2), look_at=(0, 0, 0)))
    second = second.model_copy(update={
        "background": (1, 1, 1),
        "sky": GradientSky(zenith=(2, 3, 4), horizon=(5, 6, 7)),
        "sun": Sun(direction=(0, 3, 4), angular_radius_degrees=60, radiance=(8, 9, 10)),
    })  # fmt: skip
    third = scene(*(ball(x, 0, 0, 0.1, LAMP if x % 3 == 0 else Material()) for x in range(101)), background=GREY)
    return SceneBatch.of([first, second, third], device)


@pytest.mark.parametrize("device", DEVICES)
def test_kernels_read_objects_as_the_batch_has_them(device):
    batch = batch_of_three(device)
    scenes, rows = launchable(batch), np.arange(len(batch.kind), dtype=np.int32)
    kind, center, scale, world_from_unit, unit_from_world = run(read_shapes, scenes, rows, device=device)
    for found, name in ((kind, "kind"), (center, "center"), (scale, "scale")):
        np.testing.assert_array_equal(found, getattr(batch, name).cpu())
    expected = (rotation_matrix(batch.rotation) * batch.scale[:, None]).cpu()
    np.testing.assert_allclose(world_from_unit, expected, rtol=1e-6, atol=1e-6)
    identity = np.broadcast_to(np.eye(3), unit_from_world.shape)
    np.testing.assert_allclose(world_from_unit.astype(np.float64) @ unit_from_world, identity, atol=2e-6)
    *materials, radius, light_number = run(read_materials, scenes, rows, device=device)
    names = ("base_color", "metallic", "roughness", "transmission", "emission")
    eta = materials.pop(4)
    np.testing.assert_array_equal(eta, eta_of(batch.specular.cpu().numpy(), batch.transmission.cpu().numpy()))
    for found, name in zip(materials, names, strict=True):
        np.testing.assert_array_equal(found, getattr(batch, name).cpu(), err_msg=name)
    np.testing.assert_allclose(radius[1:5], [5, 7, 4, 1], rtol=1e-6)
    assert math.isinf(radius[0])
    assert light_number[:7].tolist() in ([-1, 0, -1, 1, -1, -1, -1], [-1, 1, -1, 0, -1, -1, -1])
    assert sorted(light_number[7::3].tolist()) == list(range(34))
    assert (np.delete(light_number[7:], np.arange(0, 101, 3)) == -1).all()


@pytest.mark.parametrize("device", DEVICES)
def test_kernels_read_scenes_as_the_batch_has_them(device):
    batch = batch_of_three(device)
    scenes, numbers = launchable(batch), np.arange(3, dtype=np.int32)
    objects, lights, tree_leaves, *rest = run(read_scenes, scenes, numbers, device=device)
    assert objects.tolist() == [[0, 5], [5, 7], [7, 108]]
    assert lights.tolist() == [[0, 2], [2, 2], [2, 36]]
    assert tree_leaves.tolist() == [0, 0, 16]  # of 101 objects, eight a leaf
    horizon, zenith, sun_radiance, sun_chord_squared, *rest = rest
    np.testing.assert_array_equal(horizon, [(1, 2, 3), (6, 7, 8), np.float32(GREY)])
    np.testing.assert_array_equal(zenith, [(1, 2, 3), (3, 4, 5), np.float32(GREY)])
    np.testing.assert_array_equal(sun_radiance, [(0, 0, 0), (8, 9, 10), (0, 0, 0)])
    np.testing.assert_allclose(sun_chord_squared, [0, 1, 0], rtol=1e-6)  # 4 sin² 30°
    for found, name in zip(rest[:-1], ("camera_position", "camera_rotation", "tan_half_fov"), strict=True):
        np.testing.assert_array_equal(found, getattr(batch, name).cpu(), err_msg=name)
    np.testing.assert_array_equal(rest[-1].view(np.int32), batch.key.cpu())


@pytest.mark.parametrize("device", DEVICES)
def test_lights_are_listed_by_scene_and_know_their_place(device):
    batch = batch_of_three(device)
    scenes = launchable(batch)
    rows = run(read_lights, scenes, np.arange(36, dtype=np.int32), device=device)[0]
    assert sorted(rows[:2].tolist()) == [1, 3]
    assert sorted(rows[2:].tolist()) == list(range(7, 108, 3))
    number = run(read_materials, scenes, rows, device=device)[-1]
    assert number.tolist() == [0, 1, *range(34)]


def test_a_batch_is_prepared_once_and_may_have_no_lights_or_trees():
    batch = SceneBatch.of([scene(ball(0, 0, 0, 1))])
    assert launchable(batch) is launchable(batch)
    assert len(launchable(batch).tree_nodes) == 1


@pytest.mark.parametrize("device", DEVICES)
def test_trees_have_the_objects_of_large_scenes_and_lists_those_of_others(device, monkeypatch):
    monkeypatch.setattr(scene_tables, "TREE_ABOVE", 3)
    sizes = [3, 4, 1, 53]
    batch = SceneBatch.of([scene(*random_objects("box", size, size)) for size in sizes], device)
    primitives = launchable(batch).tree_primitives.numpy()
    objects = primitives["object_id"].reshape(-1, LANES)
    # None; the scenes of 3 objects and of 1; of those of 4 and 53 the outliers, and a leaf of four or eight of up to 7.
    assert (objects >= 0).sum(1).tolist() == [0, 3, 1, 0, 4, 0, *[7] * 7, 4]
    assert objects[1, :3].tolist() == [0, 1, 2]
    assert objects[2, 0] == 7
    assert sorted(objects[objects >= 0].tolist()) == [*range(61)]
    assert launchable(batch).scenes.numpy()["outliers"].tolist() == [1, 3, 2, 5]
    assert set(primitives["kind"].tolist()) == {-1, BOX}
    spheres = launchable(batch).tree_leaves.numpy()
    center = np.stack([spheres[name] for name in "xyz"], -1)
    np.testing.assert_array_equal(center[objects >= 0], batch.center.cpu().numpy()[objects[objects >= 0]])
    assert (spheres["x"][objects < 0] == np.float32(OUT_OF_REACH)).all()
