"""What a model costs: parameters and floating-point operations, by part."""

from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from luxel.core.scene_batch import SceneBatch
from luxel.models.kinds import Model
from luxel.scene.description import Camera, Material, Scene, Sphere

PARTS = ("seq_to_image", "image_to_seq", "sequence_block", "non_local", "block")
"""What an image model's stage is made of, by attribute."""


@dataclass(frozen=True)
class Cost:
    """Parameters of a part, and its operations (a multiply-add is two) for one image, forward."""

    parameters: int = 0
    flops: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.parameters + other.parameters, self.flops + other.flops)


def cost_by_part(model: Model, objects: int = 12) -> dict[str, Cost]:
    """The cost of every part for a picture of so many objects; the parameters add up to the whole model.

    Operations are those of the parts' matrix products and convolutions, as torch's FlopCounterMode counts them. An
    image model's do not depend on what is seen; a ray model's do, and are those of `crowd`.
    """
    counter = FlopCounterMode(display=False)
    device = next(model.parameters()).device
    scenes = SceneBatch.of([crowd(objects)], device)
    training = model.training
    # Of the attention kernels, the counter knows the unfused one on every device.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        model.eval()(scenes)
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


def crowd(objects: int) -> Scene:
    """So many objects, the first a lamp, in two columns that fill a third of the picture."""
    lamp, glossy = Material(emission=(3.0, 3.0, 3.0)), Material(roughness=0.3)
    rows = (objects + 1) // 2
    spheres = tuple(
        Sphere(
            center=(number % 2 - 0.5, 0.0, (number // 2 + 0.5) / rows * 2 - 1),
            radius=0.8 / rows if rows > 1 else 0.5,
            material=glossy if number else lamp,
        )
        for number in range(objects)
    )
    return Scene(objects=spheres, camera=Camera(position=(0, -4, 0), look_at=(0, 0, 0)), background=(0.2, 0.2, 0.2))


def part_of(name: str) -> str | None:
    """The part that the module of this dotted name is the whole of, or None if it is less or more than one."""
    match name.split("."):
        case ["input" | "base_transformer" | "sequence_norm" | "start" as part]:
            return part.replace("_", " ")
        case ["head" | "head_norm"]:
            return "head"
        case ["point" | "channel" as part] | ["layers" as part, _]:
            return part
        case ["stages", _, "norm"]:
            return "generator"
        case ["stages", _, "block"]:
            return "generator"
        case ["stages", _, part] if part in PARTS:
            return part.replace("_", " ").replace("seq to image", "seq→image").replace("image to seq", "image→seq")
    return None
