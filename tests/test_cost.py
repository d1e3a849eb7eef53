from dataclasses import replace

import pytest
import torch
from peak import peak_bytes

from luxel.core.scene_batch import SceneBatch
from luxel.experiments.base import tiny_model
from luxel.models.attention import AttentionConfig
from luxel.models.cost import Cost, cost_by_part, crowd, rendering_memory, training_memory
from luxel.models.cross_attention import ImageToSeqConfig, SeqToImageConfig, StartConfig
from luxel.models.estimates import CHANNEL_FEATURES, POINT_FEATURES
from luxel.models.generator import GeneratorConfig
from luxel.models.image_model import ImageModel, ImageModelConfig
from luxel.models.model_types import Model
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.models.sequence import TransformerConfig
from luxel.scene.description import Camera, Material, Plane, Scene, Sphere

WHOLE = replace(ImageModelConfig(), image_to_seq=ImageToSeqConfig(), sequence_blocks=TransformerConfig(layers=1))


def test_every_parameter_is_counted_once():
    model = ImageModel(WHOLE)
    costs = cost_by_part(model)
    assert sum(costs.values(), Cost()).parameters == sum(parameter.numel() for parameter in model.parameters())
    assert {"generator", "seq→image", "image→seq", "sequence block", "start", "base transformer", "head"} <= set(costs)


def test_operations_by_hand():
    """The head is one product of 32 × 32 pixels; the input two of 12 objects."""
    model = ImageModel(ImageModelConfig())
    costs = cost_by_part(model, objects=12)
    assert costs["head"].flops == 2 * 32 * 32 * model.head.in_channels * 3
    assert costs["input"].flops == 2 * 12 * ((31 + 4) * 128 + 128 * 128)


def test_the_sequence_side_grows_with_objects_and_the_generator_does_not():
    few, many = (cost_by_part(ImageModel(WHOLE), objects) for objects in (3, 24))
    assert many["base transformer"].flops > 7.9 * few["base transformer"].flops
    assert many["generator"] == few["generator"]


def test_a_shared_layer_costs_as_often_as_it_is_passed():
    once, thrice = (
        cost_by_part(ImageModel(replace(WHOLE, base_transformer=TransformerConfig(layers=n, shared=True))))
        for n in (1, 3)
    )
    assert thrice["base transformer"].parameters == once["base transformer"].parameters
    assert thrice["base transformer"].flops == 3 * once["base transformer"].flops


def test_counting_leaves_the_model_as_it_was():
    model = ImageModel(ImageModelConfig()).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    cost_by_part(model)
    assert model.training
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)


def test_a_ray_models_parts_are_all_counted_and_grow_with_the_picture():
    config = RayModelConfig(layers=2)
    model = RayModel(config)
    small, large = (cost_by_part(RayModel(replace(config, width=width))) for width in (32, 64))
    assert sum(small.values(), Cost()).parameters == sum(parameter.numel() for parameter in model.parameters())
    assert set(small) == {"point", "channel", "layers", "head"}
    for part in small:
        assert 2.5 < large[part].flops / small[part].flops < 4.5


def test_a_ray_models_operations_by_hand():
    """A point and its three channels: 2 · inputs · outputs each, for every point alike."""
    config = RayModelConfig(width=16, hidden=23, layers=2)
    model = RayModel(config)
    costs = cost_by_part(model)
    points = costs["point"].flops / (2 * POINT_FEATURES * 23)
    assert points == int(points) > 0
    assert costs["channel"].flops == points * 3 * 2 * CHANNEL_FEATURES * 23
    assert costs["layers"].flops == points * 3 * 2 * 2 * 23 * 23
    assert costs["head"].flops == points * 3 * 2 * 23 * model.head.out_features


TANH = AttentionConfig(weighting="tanh", heads=2)
ALL_TANH = replace(
    WHOLE,
    base_transformer=TransformerConfig(attention=TANH),
    start=StartConfig(attention=TANH),
    seq_to_image=SeqToImageConfig(attention=TANH),
    image_to_seq=ImageToSeqConfig(attention=TANH),
    sequence_blocks=TransformerConfig(layers=1, attention=TANH),
)
IMAGE_MODELS = {
    "default": ImageModelConfig(),
    "tiny": tiny_model(),
    "whole": WHOLE,
    "all by tanh": ALL_TANH,
    "no transformer": replace(WHOLE, base_transformer=TransformerConfig(layers=0), sequence_blocks=None),
    "wide and shared": replace(WHOLE, base_transformer=TransformerConfig(layers=3, shared=True, feed_forward=5)),
    "first-hit maps": ImageModelConfig(first_hit_maps=True),
    "larger blocks": replace(WHOLE, generator=GeneratorConfig(repeats=3, expand_ratio=5), seq_to_image_at=2),
}
SIZES = [(1, 1009), (7, 3)]
"""Scenes, and objects in each: once the sequence needs the most memory, once the image."""


@pytest.mark.parametrize(("scenes", "objects"), SIZES)
@pytest.mark.parametrize("config", IMAGE_MODELS.values(), ids=IMAGE_MODELS)
def test_the_memory_of_an_image_model_is_what_is_estimated(config, scenes, objects):
    model, batch = ImageModel(config), SceneBatch.of([crowd(objects)] * scenes)
    check_estimates(model, batch, objects, config.width)


def check_estimates(model: Model, batch: SceneBatch, objects: int, width: int) -> None:
    """Within a factor of 2: of pictures, and of their gradients."""
    with torch.inference_mode():
        measured = peak_bytes(lambda: model.eval()(batch))
    assert 0.5 < rendering_memory(model, len(batch), width, width, objects) / measured < 2
    measured = peak_bytes(lambda: model.train()(batch).sum().backward())
    assert 0.5 < training_memory(model, len(batch), objects) / measured < 2


@pytest.mark.parametrize("config", [RayModelConfig(width=128), RayModelConfig(width=128, hidden=96, layers=4)])
@pytest.mark.parametrize("scenes", [1, 3])
def test_the_memory_of_a_ray_model_is_what_is_estimated(config, scenes):
    """Of pictures that objects fill."""
    ground = Plane(center=(0, 2, 0), normal=(0, -1, 0), material=Material(roughness=0.3))
    glass = Sphere(center=(0, 0, 0), radius=0.6, material=Material(transmission=1))
    lamp = Sphere(center=(2, -1, 2), radius=0.5, material=Material(emission=(3, 3, 3)))
    filled = Scene(objects=(ground, glass, lamp), camera=Camera(position=(0, -5, 0), look_at=(0, 0, 0)))
    check_estimates(RayModel(config), SceneBatch.of([filled] * scenes), 3, 128)


def test_the_memory_of_single_rays_is_by_their_number():
    model = RayModel(RayModelConfig(width=128))
    assert training_memory(model, 5, 3, rays=77) * 128**2 == training_memory(model, 5, 3) * 77


def test_memory_grows_with_pairs_of_objects_where_weights_are_kept():
    """By tanh there is a weight for each head and pair, twice; softmax's are never all there."""
    for name, model in ((name, ImageModel(config)) for name, config in IMAGE_MODELS.items()):
        quadratic = [rendering_memory(model, 1, 32, 32, n) / n**2 for n in (100_000, 200_000)]
        expected = 2 * 2 * 4 if name == "all by tanh" else 0
        assert quadratic[1] == pytest.approx(expected, abs=1)
    two = TransformerConfig(layers=2, attention=TANH)
    model = ImageModel(replace(ImageModelConfig(), base_transformer=two))
    assert training_memory(model, 3, 200_000) == pytest.approx(3 * 4 * (2 * 2 + 1) * 2 * 200_000**2, rel=0.01)


def test_large_batches_and_pictures_are_refused():
    assert rendering_memory(ImageModel(ImageModelConfig()), 10_000, 32, 32, 3) > 20 * 2**30
    assert rendering_memory(RayModel(RayModelConfig()), 1, 60_000, 60_000, 3) > 60_000**2 * 3 * 4 * 2
