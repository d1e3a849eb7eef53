"""Scenes as tensors: what stands where, what can be picked out and some, and derivatives of what derives."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from kernels import DEVICES
from tracer_scenes import FEATURES, GREY, LAMP, ball, egg, glass, scene

from luxel.core.scene_batch import MAP_FIELDS, SceneBatch, rotation_matrix, scene_arrays
from luxel.core.shapes.kinds import BOX, CYLINDER, DISC, ELLIPSOID, PLANE, RECTANGLE, SPHERE
from luxel.scene import Box, Camera, Cylinder, Material, Panel, Plane, Scene
from luxel.scene import camera as scene_camera

NAMES = [field.name for field in fields(SceneBatch)]
ONE_OF_EACH = scene(
    ball(1, 2, 3, 0.7),
    egg(1, 2, 3, (1, 2, 5)),
    Box(center=(0, 0, 1), half_extents=(2, 3, 5)),
    Cylinder(center=(0, 0, 1), radius=2, half_height=7),
    Panel(center=(0, 0, 1), half_extents=(2, 3)),
    Panel(center=(0, 0, 1), half_extents=(2, 3), outline="ellipse"),
    Plane(center=(0, 0, 1)),
    egg(1, 2, 3, (2, 2, 2)),
)


def scenes() -> list[Scene]:
    """Of 3, 1, 7 and 2 objects."""
    lamps = [ball(x, 0, 0, 0.1, LAMP) for x in range(7)]
    return [
        scene(ball(0, 0, 0, 1), egg(1, 2, 3, (1, 2, 5), LAMP), ball(0, 0, 0, 1, LAMP), background=(1, 2, 3)),
        scene(egg(1, 2, 3, (1, 2, 5), glass(0.1))),
        scene(*lamps, background=GREY),
        scene(ball(0, 0, 0, 1), ball(5, 0, 0, 1), camera=Camera(position=(3, 1, 2), look_at=(0, 0, 0))),
    ]


def assert_same(one: SceneBatch, other: SceneBatch) -> None:
    for name in NAMES:
        torch.testing.assert_close(getattr(one, name), getattr(other, name), rtol=0, atol=0, msg=name)


@pytest.mark.parametrize("device", DEVICES)
def test_fields_by_hand(device):
    material = Material(
        base_color=(0.1, 0.2, 0.3), metallic=0.4, specular=0.9, roughness=0.6, transmission=0.7, emission=(8, 9, 10)
    )
    camera = Camera(position=(0, -5, 1), look_at=(0, 0, 1), vertical_fov_degrees=90)
    one = scene(egg(1, 2, 3, (1, 2, 5), material), ball(4, 5, 6, 7), background=(1, 2, 3), camera=camera)
    batch = SceneBatch.of([one], device)
    assert batch.device.type == device
    assert batch.offsets.tolist() == [0, 2]
    assert batch.center.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert batch.scale.tolist() == [[1, 2, 5], [7, 7, 7]]
    torch.testing.assert_close(batch.rotation.cpu(), torch.tensor([one.objects[0].rotation, (1.0, 0, 0, 0)]))
    torch.testing.assert_close(batch.base_color[0].cpu(), torch.tensor([0.1, 0.2, 0.3]))
    numbers = (batch.metallic, batch.specular, batch.roughness, batch.transmission)
    assert [round(float(values[0]), 6) for values in numbers] == [0.4, 0.9, 0.6, 0.7]
    assert batch.emission.tolist() == [[8, 9, 10], [0, 0, 0]]
    assert batch.background.tolist() == [[1, 2, 3]]
    assert batch.camera_position.tolist() == [[0, -5, 1]]
    torch.testing.assert_close(batch.camera_rotation[0].cpu(), torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]))
    torch.testing.assert_close(batch.tan_half_fov.cpu(), torch.tensor([1.0]))
    for name in NAMES:
        assert getattr(batch, name).dtype in (torch.float32, torch.int32) or name == "offsets"


def test_every_shape_has_its_kind_and_scale():
    batch = SceneBatch.of([ONE_OF_EACH])
    assert batch.kind.tolist() == [SPHERE, ELLIPSOID, BOX, CYLINDER, RECTANGLE, DISC, PLANE, SPHERE]
    scales = [[0.7] * 3, [1, 2, 5], [2, 3, 5], [2, 2, 7], [2, 3, 1], [2, 3, 1], [1, 1, 1], [2, 2, 2]]
    torch.testing.assert_close(batch.scale, torch.tensor(scales))


@pytest.mark.parametrize("device", DEVICES)
def test_rows_know_their_scene_and_their_number_in_it(device):
    batch = SceneBatch.of(scenes(), device)
    assert len(batch) == 4
    assert batch.counts.tolist() == [3, 1, 7, 2]
    assert batch.scene_of_object.tolist() == [0, 0, 0, 1, *[2] * 7, 3, 3]
    assert batch.number_in_scene.tolist() == [0, 1, 2, 0, *range(7), 0, 1]
    assert batch.is_emissive.tolist() == [False, True, True, False, *[True] * 7, False, False]


def test_arrays_make_the_same_batch_again():
    arrays = scene_arrays(scenes())
    assert set(arrays) == set(NAMES)
    assert_same(SceneBatch.from_arrays(arrays), SceneBatch.of(scenes()))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("chosen", [[2, 0, 3, 3], [1], []])
def test_a_selection_is_the_batch_of_those_scenes(chosen, device):
    all_of_them = scenes()
    found = SceneBatch.of(all_of_them, device).select(torch.tensor(chosen, dtype=torch.int64))
    if not chosen:
        assert len(found) == 0
        assert found.center.shape == (0, 3)
        return
    assert_same(found, SceneBatch.of([all_of_them[number] for number in chosen], device))


def test_slices_are_those_of_the_scenes():
    batch = SceneBatch.of(scenes())
    assert_same(batch[1:3], SceneBatch.of(scenes()[1:3]))
    assert_same(batch[::2], SceneBatch.of(scenes()[::2]))


@pytest.mark.parametrize("device", DEVICES)
def test_rows_padded_by_scene(device):
    batch = SceneBatch.of(scenes(), device)
    padded = batch.padded(batch.center + 1, 11)
    assert padded.shape == (4, 11, 3)
    for number, one in enumerate(scenes()):
        expected = torch.tensor([item.center for item in one.objects]) + 1
        torch.testing.assert_close(padded[number, : len(one.objects)].cpu(), expected)
        assert (padded[number, len(one.objects) :] == 0).all()
    assert batch.padded(batch.metallic, 7).shape == (4, 7)
    with pytest.raises(ValueError, match="7 objects, more than the 5"):
        batch.padded(batch.center, 5)


@pytest.mark.parametrize("device", DEVICES)
def test_moving_changes_no_value(device):
    batch = SceneBatch.of(scenes())
    moved = batch.to(device)
    assert moved.offsets.device.type == "cpu"
    assert_same(moved.to("cpu"), batch)
    assert batch.to("cpu") is batch


def test_keys_depend_on_the_scene_alone():
    one, other = FEATURES["diffuse"][0], FEATURES["plastic"][0]
    keys = SceneBatch.of([one, other, one]).key
    assert keys[0].tolist() != keys[1].tolist()
    assert keys[0].tolist() == keys[2].tolist()
    assert SceneBatch.of([other]).key[0].tolist() == keys[1].tolist()
    many = SceneBatch.of([scene(ball(x, 0, 0, 1)) for x in range(97)]).key
    assert len(set(many[:, 0].tolist())) == len(set(many[:, 1].tolist())) == 97


def test_derivatives_reach_every_leaf_through_selection_and_padding():
    batch = SceneBatch.of(scenes())
    leaves = {
        name: getattr(batch, name).clone().requires_grad_()
        for name in NAMES
        if getattr(batch, name).is_floating_point() and name not in MAP_FIELDS
    }
    learned = replace(batch, **leaves)
    some = learned.select(torch.tensor([2, 0, 3]))
    total = sum((2 * getattr(some, name)).sum() for name in leaves) + some.padded(some.center, 7).sum()
    derivatives = torch.autograd.grad(total, list(leaves.values()))
    for name, derivative in zip(leaves, derivatives, strict=True):
        of_a_scene = len(derivative) == 4
        chosen = [True, False, True, True] if of_a_scene else [True] * 3 + [False] + [True] * 9
        expected = torch.tensor(chosen).float() * (3 if name == "center" else 2)
        torch.testing.assert_close(derivative.flatten(1).mean(1) if derivative.dim() > 1 else derivative, expected)


def test_rotations_are_those_of_the_scene_whatever_the_length():
    random = np.random.default_rng(0)
    quaternions = random.normal(size=(53, 4)).astype(np.float32)
    found = rotation_matrix(torch.from_numpy(3 * quaternions)).numpy()
    np.testing.assert_allclose(found, scene_camera.rotation_matrix(quaternions.tolist()), atol=1e-6)
    assert found.dtype == np.float64
