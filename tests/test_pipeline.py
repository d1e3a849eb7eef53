from pathlib import Path

import numpy as np
import pytest
import torch

from luxel import InputError
from luxel.experiments.base import tiny_model
from luxel.models.image_model import ImageModel
from luxel.pipeline import Renderer
from luxel.scene import OBJECT_FEATURES, Camera, Scene, Sphere

CAMERA = Camera(position=(0, -5, 0), look_at=(0, 0, 0))
ONE = Scene(objects=(Sphere(center=(0, 0, 0), radius=1.0),), camera=CAMERA, background=(0.2, 0.2, 0.2))
TWO = Scene(objects=(Sphere(center=(-1, 0, 0), radius=0.5), Sphere(center=(1, 0, 0), radius=0.3)), camera=CAMERA)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("run")
    ImageModel(tiny_model()).save_pretrained(path / "model")
    return path


def test_a_run_folder_and_its_weights_folder_are_the_same_renderer(folder):
    images = [Renderer.from_pretrained(path)(ONE) for path in (folder, folder / "model", str(folder))]
    assert images[0].shape == (16, 16, 3)
    assert images[0].dtype == np.float32
    for image in images[1:]:
        np.testing.assert_array_equal(image, images[0])


def test_a_batch_is_its_scenes(folder):
    renderer = Renderer.from_pretrained(folder)
    both = renderer.render([ONE, TWO])
    for image, scene in zip(both, (ONE, TWO), strict=True):
        np.testing.assert_allclose(image, renderer(scene), rtol=1e-4, atol=1e-5)


def test_the_default_model_takes_the_tokens_there_are():
    assert tiny_model().object_features == OBJECT_FEATURES


def test_another_size_is_refused_with_the_remedy(folder):
    renderer = Renderer.from_pretrained(folder)
    assert renderer(ONE, 16, 16).shape == (16, 16, 3)
    with pytest.raises(InputError, match="renders 16×16, not 32×16"):
        renderer(ONE, width=32)


def test_weights_of_another_network_are_refused_with_their_folder(folder, tmp_path):
    for file in ("config.json", "model.safetensors"):
        (tmp_path / file).write_bytes((folder / "model" / file).read_bytes())
    config = (tmp_path / "config.json").read_text().replace('"seq_width": 32', '"seq_width": 64')
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(InputError, match=f"{tmp_path}: not a model of this version"):
        Renderer.from_pretrained(tmp_path)


def test_a_folder_without_weights_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match=r"no model\.safetensors.*luxel train"):
        Renderer.from_pretrained(tmp_path)
