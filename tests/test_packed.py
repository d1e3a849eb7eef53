"""Scenes as tensors."""

import math

import pytest
import torch
from tracer_scenes import FEATURES, LAMP, ball, egg, glass, scene

from luxel.scene.camera import rotation_matrix
from luxel.trace.packed import bucket, buckets, pack, refractive_index


def test_buckets_are_powers_of_two():
    assert [bucket(count) for count in (0, 1, 2, 3, 4, 5, 12, 16, 17)] == [0, 1, 2, 4, 4, 8, 16, 16, 32]
    assert buckets(scene(ball(0, 0, 0, 1, LAMP), ball(0, 0, 0, 1), ball(0, 0, 0, 1))) == (4, 1)


def test_index_by_hand():
    assert refractive_index(0.5, False) == pytest.approx(1.5)  # 4 % at normal incidence
    assert refractive_index(0.0, False) == 1
    assert refractive_index(0.0, True) == pytest.approx(2 / (1 - math.sqrt(8e-5)) - 1)


def test_shorter_scenes_are_padded_and_lights_find_their_objects():
    long = scene(ball(0, 0, 0, 1), egg(1, 2, 3, (1, 2, 5), LAMP), ball(0, 0, 0, 1, LAMP), background=(1, 2, 3))
    short = scene(egg(1, 2, 3, (1, 2, 5), glass(0.1)))
    packed = pack([long, short], 0, torch.device("cpu"))
    assert packed.real.tolist() == [[True, True, True, False], [True, False, False, False]]
    assert packed.lights.item[..., 0].T.tolist() == [[1, 2], [-1, -1]]
    assert packed.lights.slot[0, 1:3].tolist() == [0, 1]
    torch.testing.assert_close(packed.lights.power[:, :, 0].T, torch.tensor([[10 / 3, 10 / 3], [0, 0]]))
    assert packed.background[:, :, 0].T.tolist() == [[1, 2, 3], [0, 0, 0]]
    matrix = packed.shapes.unit_from_world[:, :, 1, 0].double()
    turn = torch.from_numpy(rotation_matrix(short.objects[0].rotation))
    torch.testing.assert_close(matrix, torch.diag(torch.tensor([1, 0.5, 0.2]).double()) @ turn.T, rtol=1e-6, atol=1e-6)
    assert packed.shapes.volume[1, 0].item() == pytest.approx(10)


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
