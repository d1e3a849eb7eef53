from dataclasses import replace

import torch

from luxel.models.cost import Cost, cost_by_part
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
