"""What a model costs: parameters and floating-point operations, by part."""

from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from luxel.models.image_model import ImageModel

PARTS = ("seq_to_image", "image_to_seq", "sequence_block", "non_local", "block")
"""What a stage is made of, by attribute."""


@dataclass(frozen=True)
class Cost:
    """Parameters of a part, and its operations (a multiply-add is two) for one image, forward."""

    parameters: int = 0
    flops: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.parameters + other.parameters, self.flops + other.flops)


def cost_by_part(model: ImageModel, objects: int = 12) -> dict[str, Cost]:
    """The cost of every part for a scene of so many objects; the values add up to the whole model.

    Operations are those of matrix products and convolutions, as torch's FlopCounterMode counts them.
    """
    counter = FlopCounterMode(display=False)
    features = model.config.object_features
    device = next(model.parameters()).device
    arguments = (
        torch.zeros(1, objects, features, device=device),
        torch.ones(1, objects, dtype=torch.bool, device=device),
        torch.ones(1, 1, device=device),
        torch.zeros(1, 3, device=device),
    )
    training = model.training
    # Of the attention kernels, the counter knows the unfused one on every device.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        model.eval()(*arguments)
    model.train(training)
    counted = counter.get_flop_counts()
    root = type(model).__name__
    costs: dict[str, Cost] = {}
    for name, module in model.named_modules():
        part = part_of(name)
        if part is None:
            continue
        parameters = sum(parameter.numel() for parameter in module.parameters())
        flops = sum(counted.get(f"{root}.{name}", {}).values())
        costs[part] = costs.get(part, Cost()) + Cost(parameters, flops)
    return costs


def part_of(name: str) -> str | None:
    """The part that the module of this dotted name is the whole of, or None if it is less or more than one."""
    match name.split("."):
        case ["input" | "base_transformer" | "sequence_norm" | "start" as part]:
            return part.replace("_", " ")
        case ["head" | "head_norm"]:
            return "head"
        case ["stages", _, "norm"]:
            return "generator"
        case ["stages", _, "block"]:
            return "generator"
        case ["stages", _, part] if part in PARTS:
            return part.replace("_", " ").replace("seq to image", "seq→image").replace("image to seq", "image→seq")
    return None
