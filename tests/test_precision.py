import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from luxel import InputError
from luxel.core.scene_batch import SceneBatch
from luxel.data.dataset import Batch
from luxel.experiments.base import tiny_model
from luxel.models.image_model import ImageModel
from luxel.scene import Spheres
from luxel.train.precision import AUTOCAST_DTYPES, Autocast, LossScale, check_precision, set_precision

CPU = torch.device("cpu")


def batch(size: int = 3) -> Batch:
    radiance = torch.rand(size, 16, 16, 3, generator=torch.Generator().manual_seed(0))
    scenes = SceneBatch.of([Spheres(max_objects=5)(0, index) for index in range(size)])
    return Batch(scenes, radiance, torch.zeros_like(radiance))


def model() -> ImageModel:
    torch.manual_seed(1)
    return ImageModel(tiny_model()).train()


def gradients(precision: str, network: ImageModel) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    autocast = Autocast(precision, network, CPU)
    radiance = autocast(batch())
    autocast.backward(radiance.square().mean())
    return radiance.detach(), {name: p.grad for name, p in network.named_parameters()}


class Dtypes:
    """Dtypes of the input and the weights with which each kind of layer computes."""

    def __init__(self, network: nn.Module):
        self.seen: dict[str, set[tuple[torch.dtype, torch.dtype]]] = {}
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d | nn.LayerNorm):
                module.register_forward_hook(self.note(name.split(".")[0] if name.startswith("head") else type(module)))

    def note(self, kind):
        kind = kind if isinstance(kind, str) else kind.__name__
        return lambda module, inputs, output: self.seen.setdefault(kind, set()).add(
            (inputs[0].dtype, module.weight.dtype)
        )


SINGLE, HALF = torch.float32, torch.float16


def test_o2_computes_in_half_but_for_norms_and_head():
    network = model()
    autocast, dtypes = Autocast("fp16-o2", network, CPU), Dtypes(network)
    autocast(batch())
    assert dtypes.seen == {
        "Conv2d": {(HALF, HALF)},
        "Linear": {(HALF, HALF)},
        "BatchNorm": {(HALF, SINGLE)},
        "LayerNorm": {(HALF, HALF)},
        "head_norm": {(SINGLE, SINGLE)},
        "head": {(SINGLE, SINGLE)},
    }


@pytest.mark.parametrize("precision", ["bf16", "fp16-o1"])
def test_autocast_computes_products_in_16_bits_and_keeps_norms_and_head_in_single(precision):
    network = model()
    dtypes = Dtypes(network)
    Autocast(precision, network, CPU)(batch())
    for kind in ("BatchNorm", "LayerNorm", "head_norm", "head"):
        assert {weight for _, weight in dtypes.seen[kind]} == {SINGLE}
    for kind in ("Conv2d", "Linear"):
        assert {weight for _, weight in dtypes.seen[kind]} == {AUTOCAST_DTYPES[precision]}
    assert dtypes.seen["head"] == {(SINGLE, SINGLE)}


@pytest.mark.parametrize(("precision", "tolerance"), [("bf16", 0.1), ("fp16-o1", 0.02), ("fp16-o2", 0.02)])
def test_every_precision_computes_the_same_up_to_rounding(precision, tolerance):
    """Radiance, and a single-precision gradient for every parameter, its master copy."""
    expected, wanted = gradients("fp32", model())
    radiance, got = gradients(precision, model())
    assert radiance.dtype == SINGLE
    assert not torch.equal(radiance, expected)
    assert (radiance - expected).norm() < tolerance * expected.norm()
    assert {gradient.dtype for gradient in got.values()} == {SINGLE}
    whole, same = (torch.cat([g.flatten() for g in gradients.values()]) for gradients in (wanted, got))
    assert torch.cosine_similarity(whole, same, dim=0) > 0.98


def test_the_master_copies_stay_themselves():
    network = model()
    before = copy.deepcopy(network.state_dict())
    autocast = Autocast("fp16-o2", network, CPU)
    autocast.backward(autocast(batch()).mean())
    weights = {
        name: value for name, value in network.state_dict().items() if "running" not in name and "num" not in name
    }
    torch.testing.assert_close(weights, {name: before[name] for name in weights}, rtol=0, atol=0)


def test_scenes_of_another_precision_are_a_mistake():
    network, given = model(), batch()
    halved = replace(given, scenes=replace(given.scenes, center=given.scenes.center.half()))
    with pytest.raises(AssertionError, match="scenes come in float32"):
        Autocast("fp32", network, CPU)(halved)


def test_a_head_in_half_precision_is_a_mistake():
    class Head(nn.Module):
        def forward(self, scenes):
            return torch.zeros(1, 2, 2, 3, dtype=HALF)

    with pytest.raises(AssertionError, match="the head must end in float32"):
        Autocast("fp32", Head(), CPU)(batch())


def test_tf32_needs_its_gpu():
    with pytest.raises(InputError, match=r"train\.precision is tf32.*choose fp32"):
        check_precision("tf32", CPU)


def test_half_precision_on_a_cpu_is_announced(capsys):
    check_precision("fp16-o1", CPU)
    assert "bf16 is the CPU's mixed precision" in capsys.readouterr().err
    check_precision("bf16", CPU)
    assert capsys.readouterr().err == ""


def overflow(scale: LossScale, times: int) -> list[float]:
    """The scale after each of so many steps whose gradients are not finite."""
    values = []
    for _ in range(times):
        scale.update(overflowed=True)
        values.append(scale.value)
    return values


def test_the_scale_is_that_of_torchs_scaler(monkeypatch):
    """Over gradients some of which overflow, and enough in a row that do not."""
    monkeypatch.setattr(LossScale, "GROWTH_INTERVAL", 3)
    ours, theirs = LossScale("fp16-o1", CPU, None), torch.amp.GradScaler("cpu", LossScale.START, growth_interval=3)
    parameter = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    for overflows in (1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0):
        loss = torch.full((), torch.inf if overflows else 0.75)
        assert ours.scale(loss) == theirs.scale(loss)
        gradient, parameter.grad = ours.scale(loss).reshape(1), theirs.scale(loss).reshape(1)
        ours.unscale([gradient])
        theirs.unscale_(optimizer)
        assert gradient == parameter.grad == loss
        ours.update(bool(overflows))
        theirs.update()
        assert ours.value == theirs.get_scale()
    assert ours.state().items() <= theirs.state_dict().items()


def test_overflow_halves_the_scale_down_to_its_floor():
    scale = LossScale("fp16-o1", CPU, floor=128.0)
    values = overflow(scale, 12)
    assert values == [max(128.0, 2.0 ** (15 - i)) for i in range(12)]
    assert scale.at_floor


def test_without_a_floor_the_scale_collapses():
    scale = LossScale("fp16-o2", CPU, floor=None)
    assert not overflow(scale, 15)[-1] < 2.0
    assert scale.at_floor is False
    assert overflow(scale, 5)[-1] < 1.0
    assert scale.at_floor


def test_the_scale_survives_a_checkpoint():
    scale, again = LossScale("fp16-o1", CPU, None), LossScale("fp16-o1", CPU, None)
    overflow(scale, 3)
    again.restore(scale.state())
    assert again.value == scale.value == 2.0**13


def test_single_precision_has_no_scale():
    scale = LossScale("fp32", CPU, None)
    assert scale.at_floor is None
    assert scale.scale(torch.full((), 3.0)).item() == 3.0


@pytest.mark.parametrize("precision", ["fp32", "tf32"])
def test_single_precision_is_what_was_asked_for_on_a_gpu_too(precision):
    set_precision(precision)
    wanted = precision == "tf32"
    assert torch.backends.cuda.matmul.allow_tf32 == torch.backends.cudnn.allow_tf32 == wanted
    set_precision("fp32")
