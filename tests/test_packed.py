"""Scenes as tensors."""

import math

import pytest
import torch
from tracer_scenes import FEATURES, LAMP, ball, egg, glass, scene

from luxel.geometry.intersect import Shapes
from luxel.scene import Material
from luxel.scene.camera import rotation_matrix
from luxel.trace.packed import Materials, pack, refractive_index


def test_a_single_object_or_light_is_padded_to_two_and_no_light_is_none():
    packed = pack([scene(ball(0, 0, 0, 1, LAMP))], 0, torch.device("cpu"))
    assert packed.real.tolist() == [[True, False]]
    assert packed.light_items.tolist() == [[0, -1]]
    dark = pack([scene(ball(0, 0, 0, 1))] * 3, 0, torch.device("cpu"))
    assert dark.lights.shape == (3, 0, 17)


def test_fields_of_rows_have_their_names():
    lamp = Material(base_color=(0.1, 0.2, 0.3), metallic=0.4, roughness=0.6, transmission=0.7, emission=(8, 9, 10))
    packed = pack([scene(egg(1, 2, 3, (1, 2, 5), lamp))], 0, torch.device("cpu"))
    material = Materials.of(packed.materials[0, 0].unbind())
    assert [round(float(value), 6) for value in material.base_color.stacked()] == [0.1, 0.2, 0.3]
    assert material.emission.stacked().tolist() == [8, 9, 10]
    numbers = [material.metallic, material.roughness, material.transmission, material.eta]
    assert [round(float(value), 6) for value in numbers] == [0.4, 0.6, 0.7, 1.5]
    shape = Shapes.of(packed.shapes[0, 0].unbind())
    assert shape.center.stacked().tolist() == [1, 2, 3]
    assert shape.square_axes.stacked().tolist() == [1, 4, 25]


def test_index_by_hand():
    assert refractive_index(0.5, False) == pytest.approx(1.5)  # 4 % at normal incidence
    assert refractive_index(0.0, False) == 1
    assert refractive_index(0.0, True) == pytest.approx(2 / (1 - math.sqrt(8e-5)) - 1)


def test_shorter_scenes_are_padded_and_lights_find_their_objects():
    long = scene(ball(0, 0, 0, 1), egg(1, 2, 3, (1, 2, 5), LAMP), ball(0, 0, 0, 1, LAMP), background=(1, 2, 3))
    short = scene(egg(1, 2, 3, (1, 2, 5), glass(0.1)))
    packed = pack([long, short], 0, torch.device("cpu"))
    assert packed.real.tolist() == [[True, True, True], [True, False, False]]
    assert packed.light_items.tolist() == [[1, 2], [-1, -1]]
    assert torch.equal(packed.lights[0, :, :16], packed.shapes[0, 1:])
    torch.testing.assert_close(packed.lights[..., 16], torch.tensor([[10 / 3, 10 / 3], [0, 0]]))
    assert packed.background.tolist() == [[1, 2, 3], [0, 0, 0]]
    matrix = packed.shapes[1, 0, 3:12].reshape(3, 3).double()
    turn = torch.from_numpy(rotation_matrix(short.objects[0].rotation))
    torch.testing.assert_close(matrix, torch.diag(torch.tensor([1, 0.5, 0.2]).double()) @ turn.T, rtol=1e-6, atol=1e-6)
    assert packed.shapes[1, 0, 15].item() == pytest.approx(10)


def test_keys_depend_on_scene_and_seed():
    one, other = FEATURES["diffuse"][0], FEATURES["plastic"][0]
    keys = [
        tuple(pack([item], seed, torch.device("cpu")).key.flatten().tolist())
        for item, seed in (
            (one, 0),
            (one, 1),
            (other, 0),
        )
    ]
    assert len(set(keys)) == 3
