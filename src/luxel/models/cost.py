"""What a model costs: parameters and floating-point operations, by part; and about how much memory."""

from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from luxel.core.scene_batch import SceneBatch
from luxel.models.image_model import ImageModelConfig
from luxel.models.kinds import Model, ModelConfig
from luxel.models.ray_model import PIXELS_AT_ONCE
from luxel.scene.description import Camera, Material, Scene, Sphere

PARTS = ("seq_to_image", "image_to_seq", "sequence_block", "non_local", "block")
"""What an image model's stage is made of, by attribute."""
FLOAT = 4
PICTURE = 8 * FLOAT
"""Bytes of a pixel: radiance, its parts before they are joined, and a tone-mapped copy."""
RAY_PIXEL = 450
"""Bytes of a pixel that a ray model has in work, at least: measured, three objects at 512²."""
BLENDED_PIXEL = 550
"""Bytes of a pixel that is blended with paths, mostly the moments of the residual's levels: measured at 512²."""


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


def rendering_memory(config: ModelConfig, scenes: int, width: int, height: int, objects: int) -> int:
    """Bytes, at least, that pictures of scenes of so many objects take; measured, within a factor of 3."""
    pixels = scenes * width * height
    if not isinstance(config, ImageModelConfig):
        return pixels * PICTURE + min(pixels, PIXELS_AT_ONCE) * RAY_PIXEL
    attention = config.base_transformer.attention
    weights = 2 * attention.heads * objects**2 if attention.weighting == "tanh" else 0  # softmax's are never all there
    return pixels * PICTURE + scenes * FLOAT * (12 * config.seq_width * objects + weights)


def blending_memory(scenes: int, width: int, height: int) -> int:
    """Bytes, at least, that blending so many pictures with paths takes, besides the pictures."""
    return scenes * width * height * BLENDED_PIXEL


def training_memory(config: ModelConfig, scenes: int) -> int:
    """Bytes, at least, that the gradients of so many scenes at once take, besides weights.

    An image model's are mostly what its blocks keep for the way back, some seven maps of the hidden width: 30, 75 and
    327 MiB as measured are 31, 73 and 319. A ray model's are what each layer keeps of each point and colour.
    """
    if not isinstance(config, ImageModelConfig):
        kept = 3 * config.hidden * (config.layers + 1) * FLOAT
        return scenes * config.width**2 * (RAY_PIXEL + kept)
    generator, kept = config.generator, 0
    for level, channels in enumerate(generator.channels(config.levels)):
        kept += generator.repeats * (config.start.size * 2**level) ** 2 * generator.expand_ratio * channels
    return scenes * 7 * kept * FLOAT


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
