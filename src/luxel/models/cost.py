"""What a model costs: parameters and floating-point operations, by part; and about how much memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from luxel.core.scene_batch import SceneBatch
from luxel.models.attention import AttentionConfig
from luxel.models.cross_attention import ImageToSeq, SeqToImage
from luxel.models.image_model import ImageModel, ImageModelConfig, Stage
from luxel.models.model_types import Model
from luxel.models.ray_model import PIXELS_AT_ONCE, POINTS_AT_ONCE, RayModel
from luxel.models.sequence import Transformer, TransformerConfig
from luxel.scene.description import Camera, Material, Scene, Sphere

PARTS = ("seq_to_image", "image_to_seq", "sequence_block", "non_local", "block")
"""What an image model's stage is made of, by attribute."""
FLOAT_BYTES = 4
PICTURE_PIXEL_BYTES = 8 * FLOAT_BYTES
"""Bytes of a pixel: radiance, its parts before they are joined, and a tone-mapped copy."""
RAY_PIXEL_BYTES = 1600
"""Bytes of a pixel that a ray model has in work, besides its network's: measured, pictures full of objects at 128²; an
empty one takes a tenth."""
BLENDED_PIXEL_BYTES = 800
"""Bytes of a pixel that is blended with paths, mostly the moments of the residual's levels: measured at 768²."""
FIRST_HIT_FLOATS = 15
"""Of an object and pixel, while an image model's first-hit maps are found: measured, 1 009 objects at 32²."""


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


def rendering_memory(
    model: Model, scenes: int, width: int, height: int, objects: int, device: str | torch.device = "cpu"
) -> int:
    """Bytes, about, that pictures of scenes of so many objects each take; within a factor of 2 of what is measured.

    An image model holds four maps of its widest block's hidden channels, the tokens of one transformer layer, and the
    weights of one attention by tanh, twice; or, if that is more, what first-hit maps are found by. A ray model holds
    what it computes of each pixel, which is taken to be covered, and three layers' values of each of the points that
    its network sees at once on the device.
    """
    pixels = scenes * width * height
    if isinstance(model, RayModel):
        points = min(pixels, POINTS_AT_ONCE[torch.device(device).type])
        values = points * FLOAT_BYTES * 3 * 3 * model.config.hidden
        return pixels * PICTURE_PIXEL_BYTES + min(pixels, PIXELS_AT_ONCE) * RAY_PIXEL_BYTES + values
    config = model.config
    feed_forward = max([0, *(layers.feed_forward for layers in transformers(config))])
    floats = (
        4 * max(hidden_maps(model))
        + (5 + 2 * feed_forward) * config.seq_width * objects
        + 2 * max(tanh_weights(model, objects))
    )
    floats = max(floats, first_hit_floats(model, objects))
    return pixels * PICTURE_PIXEL_BYTES + scenes * FLOAT_BYTES * floats


def blending_memory(scenes: int, width: int, height: int) -> int:
    """Bytes, at least, that blending so many pictures with paths takes, besides the pictures."""
    return scenes * width * height * BLENDED_PIXEL_BYTES


def training_memory(model: Model, scenes: int, objects: int, rays: int = 0) -> int:
    """Bytes, about, that the gradients of so many scenes at once take, besides weights; within a factor of 2.

    `objects` are the most that one of them has, `rays` those of each scene, 0 for whole pictures. An image model keeps
    for the way back some six maps of each block's hidden channels; of each object, what each transformer layer and each
    cross-attention makes of it; two weights for each pair in an attention by tanh; and what first-hit maps are found
    by. A ray model keeps, of each point and colour, two values of each layer.
    """
    if isinstance(model, RayModel):
        kept = FLOAT_BYTES * model.config.hidden * (3 * 2 * model.config.layers + 8)
        return scenes * (rays or model.config.width**2) * (RAY_PIXEL_BYTES + kept)
    token_widths = 6.0  # of the input
    for module in model.modules():
        if isinstance(module, Transformer):
            token_widths += module.depth * (8 + 2 * module.config.feed_forward)
        elif isinstance(module, SeqToImage):
            token_widths += 0.75  # keys and values are a quarter as wide
        elif isinstance(module, ImageToSeq):
            token_widths += 5
    weights = list(tanh_weights(model, objects))
    floats = (
        6 * sum(hidden_maps(model))
        + round(token_widths * model.config.seq_width) * objects
        + 2 * sum(weights)
        + max(weights)
        + first_hit_floats(model, objects)
    )
    return scenes * FLOAT_BYTES * floats


def first_hit_floats(model: ImageModel, objects: int) -> int:
    """What the first-hit maps of a scene are found by: numbers of every object at every pixel."""
    return FIRST_HIT_FLOATS * objects * model.config.width**2 if model.config.first_hit_maps else 0


def transformers(config: ImageModelConfig) -> list[TransformerConfig]:
    """Those that a model has layers of."""
    both = (config.base_transformer, config.sequence_blocks)
    return [one for one in both if one is not None and one.layers]


def sides(model: ImageModel) -> Iterator[tuple[Stage, int, int]]:
    """Each stage, with the side of the image that it is given and of the one that it makes, in pixels."""
    side = model.config.start.size
    for stage in cast(Iterable[Stage], model.stages):
        made = 2 * side if stage.block.upsample else side
        yield stage, side, made
        side = made


def hidden_maps(model: ImageModel) -> list[int]:
    """Floats of the hidden channels of each block."""
    return [stage.block.depthwise.in_channels * side**2 for stage, _, side in sides(model)]


def tanh_weights(model: ImageModel, objects: int) -> Iterator[int]:
    """How many weights each attention by tanh has, and 0: one for each head, query and key.

    Those of softmax are never all there: its kernels are fused, on CPUs and GPUs, with and without gradients (30 000
    objects take 180 MiB, as a line through fewer has it).
    """

    def weights(config: AttentionConfig, queries: int, keys: int) -> int:
        return config.heads * queries * (keys + config.registers) if config.weighting == "tanh" else 0

    def of_transformer(transformer: Transformer) -> Iterator[int]:
        yield from [weights(transformer.config.attention, objects, objects)] * transformer.depth

    yield 0
    yield from of_transformer(model.base_transformer)
    yield weights(model.config.start.attention, model.start.pixels, objects)
    for stage, side, _ in sides(model):
        if stage.sequence_block is not None:
            yield from of_transformer(stage.sequence_block)
        if stage.seq_to_image is not None:
            yield weights(stage.seq_to_image.config.attention, side**2, objects)
        if stage.image_to_seq is not None:
            pooled = min(side, stage.image_to_seq.config.pool_to or side)
            yield weights(stage.image_to_seq.config.attention, objects, pooled**2)


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
        case ["stages", _, "norm" | "block"]:
            return "generator"
        case ["stages", _, part] if part in PARTS:
            return part.replace("_", " ").replace("seq to image", "seq→image").replace("image to seq", "image→seq")
    return None
