"""The three ways to grow cost the same."""

import pytest
from ablation import SCALES, changed

from luxel.experiments import EXPERIMENTS
from luxel.models.cost import Cost, cost_by_part
from luxel.models.image_model import ImageModel


def flops(name: str, scale: str) -> int:
    return sum(cost_by_part(ImageModel(EXPERIMENTS[name].make(scale).model)).values(), Cost()).flops


@pytest.mark.parametrize("scale", [scale for scale in SCALES if scale != "long"])  # whose networks are small's
def test_width_depth_and_sequence_take_the_same_operations(scale):
    depth, width, sequence = (
        flops(name, scale) for name in ("double_depth", "same_flops_width", "same_flops_seq_size")
    )
    assert depth > 1.5 * flops("big_new_run", scale)
    assert width == pytest.approx(depth, rel=0.03)
    assert sequence == pytest.approx(depth, rel=0.03)


def test_each_grows_in_one_way():
    assert changed("double_depth", "small") == ["model.generator.repeats"]
    assert changed("same_flops_seq_size", "small") == ["model.seq_width"]
    channels = [f"model.generator.{name}_channels" for name in ("start", "max", "min")]
    assert changed("same_flops_width", "small") == channels
