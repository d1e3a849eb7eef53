from dataclasses import replace

import torch

from luxel.core.scene_batch import SceneBatch
from luxel.experiments.base import tiny_model
from luxel.models.attention import AttentionConfig
from luxel.models.cost import Cost, cost_by_part, crowd, rendering_memory, training_memory
from luxel.models.estimates import CHANNEL_FEATURES, POINT_FEATURES
from luxel.models.exchange import ImageToSeqConfig
from luxel.models.image_model import ImageModel, ImageModelConfig
from luxel.models.ray_model import RayModel, RayModelConfig
from luxel.models.sequence import TransformerConfig

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


def kept_for_the_way_back(model: ImageModel, objects: int) -> int:
    """Bytes of all tensors that the gradient of one picture needs, weights left out."""
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        picture = model.train()(SceneBatch.of([crowd(objects)]))
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    assert picture.requires_grad
    return sum(storage.nbytes() for place, storage in kept.items() if place not in weights)


def test_the_memory_of_training_is_near_what_is_kept():
    for config in (tiny_model(), ImageModelConfig()):
        measured = kept_for_the_way_back(ImageModel(config), 4)
        assert 0.5 < training_memory(config, 1) / measured < 1.5
        assert training_memory(config, 7) == 7 * training_memory(config, 1)


def test_the_memory_of_a_rendering_grows_with_what_is_asked_for():
    """Radiance alone is 12 bytes a pixel; tanh attention has a weight for each pair of objects, softmax has not."""
    for config in (ImageModelConfig(), RayModelConfig()):
        assert rendering_memory(config, 3, 500, 700, 5) > 3 * 500 * 700 * 12
    tanh = replace(
        ImageModelConfig(), base_transformer=TransformerConfig(attention=AttentionConfig(weighting="tanh", heads=3))
    )
    assert rendering_memory(tanh, 1, 32, 32, 200_000) > 3 * 4 * 200_000**2
    assert rendering_memory(ImageModelConfig(), 1, 32, 32, 200_000) < 2 * 2**30
