"""The image model: a sequence of objects in, an image out, after the 2020 lab log.

Objects are expanded to the sequence's width and pass the base transformer; the start block makes a small image
of them; generator blocks grow it, and between them the image asks the sequence (seq→image), the sequence asks
the image (image→seq), and its objects tell each other (sequence blocks). It knows spheres and ellipsoids alone, see
`luxel.models.tokens`.

Legend: batch, objects, features; images are [batch, channels, height, width] inside, [batch, height, width, 3]
outside, linear radiance.
"""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32
from pydantic import ConfigDict, Field
from torch import Tensor, nn

from luxel import InputError
from luxel.configuration import Channels, Configuration, Pixels
from luxel.core.scene_batch import SceneBatch
from luxel.models.cross_attention import ImageToSeq, ImageToSeqConfig, SeqToImage, SeqToImageConfig, Start, StartConfig
from luxel.models.first_hit_maps import CHANNELS, first_hit_maps
from luxel.models.generator import Block, GeneratorConfig, NonLocal, positions
from luxel.models.layers import OutputActivation, normalisation, output_activation
from luxel.models.pretrained import Pretrained
from luxel.models.sequence import Transformer, TransformerConfig
from luxel.models.tokens import OBJECT_FEATURES, Tokens, encode

SCENE_FEATURES = 4
"""What is appended to every object: the background's three channels and the tangent of half the field of view."""

Occurrence: TypeAlias = Literal["every_block", "level_start", "level_end"] | Annotated[int, Field(ge=1, le=1000)]
"""Before which blocks something happens: all, the first or last of each level, or every k-th."""


@dataclass(frozen=True)
class ImageModelConfig(Configuration, path="model"):
    """Everything that decides the network's shape; None leaves a part out."""

    width: Pixels = 32
    """Of the output, in pixels: the start's size times a power of two."""
    object_features: Channels = 31
    seq_width: Channels = 128
    base_transformer: TransformerConfig = TransformerConfig(layers=2)
    start: StartConfig = StartConfig()
    generator: GeneratorConfig = GeneratorConfig()
    seq_to_image: SeqToImageConfig | None = SeqToImageConfig()
    seq_to_image_at: Occurrence = "every_block"
    image_to_seq: ImageToSeqConfig | None = None
    image_to_seq_at: Occurrence = "level_start"
    sequence_blocks: TransformerConfig | None = None
    sequence_blocks_at: Occurrence = "level_start"
    interlaced: bool = False
    """The image asks the sequence as the block before left it, so that both sides of a block can be computed at once
    (the log: "interlace or occasionally use the previous two to avoid delays")."""
    first_hit_maps: bool = False
    """Blocks and cross-attention see what every pixel shows first (`luxel.models.first_hit_maps`), pooled to the
    image's width, beside their channels."""
    output: OutputActivation = "celu"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.first_hit_maps and self.object_features != OBJECT_FEATURES:
            raise InputError(
                f"model.object_features is {self.object_features}, but first_hit_maps are of scenes' {OBJECT_FEATURES}"
            )

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    """A config.json with a field that this version does not know describes another network."""

    @property
    def levels(self) -> int:
        """How many widths the image goes through. Raises InputError if `width` is out of reach."""
        ratio, rest = divmod(self.width, self.start.size)
        if rest or ratio < 1 or ratio & (ratio - 1):
            raise InputError(f"width {self.width} is not start.size {self.start.size} times a power of two")
        return ratio.bit_length()


def scaled(config: ImageModelConfig, width: float = 1.0, depth: float = 1.0, sequence: float = 1.0) -> ImageModelConfig:
    """The log's three ways to grow: channels, blocks a level, sequence width (kept a multiple of its heads)."""
    generator = config.generator
    heads = config.base_transformer.attention.heads
    return replace(
        config,
        seq_width=heads * max(1, round(config.seq_width * sequence / heads)),
        generator=replace(
            generator,
            start_channels=round(generator.start_channels * width),
            max_channels=round(generator.max_channels * width),
            min_channels=round(generator.min_channels * width),
            repeats=max(1, round(generator.repeats * depth)),
        ),
    )


class ImageModel(Pretrained):
    """Sequence → image; see the module's docstring."""

    config_type = ImageModelConfig
    full_precision: ClassVar[tuple[str, ...]] = ("head_norm", "head")
    """Parts that stay in float32 whatever the precision of the others."""
    encode = staticmethod(encode)
    """What `forward` makes of scenes first; it takes tokens as well."""

    def __init__(self, config: ImageModelConfig) -> None:
        super().__init__()
        self.config = config
        width, plan = config.seq_width, config.generator.channels(config.levels)
        self.input = nn.Sequential(
            nn.Linear(config.object_features + SCENE_FEATURES, width), nn.GELU(), nn.Linear(width, width)
        )
        self.base_transformer = Transformer(width, config.base_transformer)
        self.sequence_norm = nn.LayerNorm(width)
        self.start = Start(width, plan[0], config.start)
        self.stages = nn.ModuleList(stages(config, plan))
        self.head_norm = normalisation(config.generator.normalisation, plan[-1])
        self.head = nn.Conv2d(plan[-1], 3, 1)

    def forward(self, scenes: SceneBatch | Tokens) -> Float32[Tensor, "batch height width 3"]:
        """Radiance of the scenes, whose objects are taken for spheres and ellipsoids."""
        return self.picture(scenes if isinstance(scenes, Tokens) else encode(scenes))

    def picture(self, tokens: Tokens) -> Float32[Tensor, "batch height width 3"]:
        """Radiance of the scenes that these are the tokens of. Neither the objects' order nor padding changes it."""
        objects, mask, camera, background = tokens
        scene = torch.cat([background, camera], dim=1)[:, None].expand(-1, objects.shape[1], -1)
        weights = next(self.input.parameters())
        inputs = torch.cat([objects, scene], dim=2).to(weights.dtype)  # half in precision fp16-o2
        sequence = self.sequence_norm(self.base_transformer(self.input(inputs), mask))
        image = self.start(sequence, mask).contiguous(memory_format=torch.channels_last)
        hits = first_hit_maps(tokens, self.config.width) if self.config.first_hit_maps else None
        for stage in self.stages:
            image, sequence = stage(image, sequence, mask, hits)
        with torch.autocast(image.device.type, enabled=False):
            features = F.relu(self.head_norm(image.float()))
            assert features.dtype == torch.float32, f"the head computes in float32, not {features.dtype}"
            return output_activation(self.config.output, self.head(features)).permute(0, 2, 3, 1)


class Stage(nn.Module):
    """A generator block and the cross-attention before it: those that `config` does not leave out."""

    def __init__(self, channels: int, out: int, upsample: bool, non_local: bool, config: ImageModelConfig) -> None:
        super().__init__()
        width, to_seq, to_image = config.seq_width, config.image_to_seq, config.seq_to_image
        self.interlaced = config.interlaced
        self.frequencies = config.generator.position_frequencies
        features = channels + config.generator.position_channels + CHANNELS * config.first_hit_maps
        self.norm = normalisation(config.generator.normalisation, channels)
        self.image_to_seq = None if to_seq is None else ImageToSeq(features, width, to_seq)
        self.sequence_block = None if config.sequence_blocks is None else Transformer(width, config.sequence_blocks)
        self.seq_to_image = None if to_image is None else SeqToImage(features, channels, width, to_image)
        extra = 0 if self.seq_to_image is None else self.seq_to_image.extra_channels
        self.block = Block(channels, features + extra, out, upsample, config.generator)
        self.non_local = NonLocal(out, config.generator) if non_local else None

    def forward(
        self,
        image: Float[Tensor, "batch channels height width"],
        sequence: Float[Tensor, "batch objects seq_width"],
        mask: Bool[Tensor, "batch objects"],
        hits: Float[Tensor, "batch maps picture picture"] | None = None,
    ) -> tuple[Float[Tensor, "batch out out_height out_width"], Float[Tensor, "batch objects seq_width"]]:
        """The next image and the next sequence."""
        features = F.relu(self.norm(image))
        if self.frequencies is not None:
            features = torch.cat([features, positions(features, self.frequencies)], dim=1)
        if hits is not None:
            pooled = F.adaptive_avg_pool2d(hits, features.shape[-1]).to(features.dtype)
            features = torch.cat([features, pooled.contiguous(memory_format=torch.channels_last)], dim=1)
        before = sequence
        if self.image_to_seq is not None:
            sequence = self.image_to_seq(sequence, mask, features)
        if self.sequence_block is not None:
            sequence = self.sequence_block(sequence, mask)
        if self.seq_to_image is not None:
            features = self.seq_to_image(features, before if self.interlaced else sequence, mask)
        image = self.block(image, features)
        if self.non_local is not None:
            image = self.non_local(image)
        return image, sequence


def stages(config: ImageModelConfig, plan: list[int]) -> list[Stage]:
    """Every stage, coarse to fine: `repeats` a level, the first of a level coming from the level before.

    The sequence is not updated after the last seq→image, since nothing would read it: its parameters would never
    get a gradient, which distributed training does not forgive. Raises InputError for what could never be read.
    """
    repeats, made = config.generator.repeats, []
    indices = range(repeats * len(plan))
    asked = [i for i in indices if config.seq_to_image is not None and occurs(config.seq_to_image_at, i, repeats)]
    if not asked and (config.image_to_seq is not None or config.sequence_blocks is not None):
        raise InputError("image_to_seq and sequence_blocks need seq_to_image: nothing else reads what they change")
    widths = [config.start.size * 2**level for level in range(len(plan))]
    if config.generator.non_local_at not in (None, *widths):
        raise InputError(f"generator.non_local_at is {config.generator.non_local_at}, not one of the widths {widths}")
    for index in indices:
        read = index <= max(asked, default=-1) - config.interlaced
        level, repeat = divmod(index, repeats)
        upsample = level > 0 and repeat == 0
        non_local = repeat == repeats - 1 and config.generator.non_local_at == config.start.size * 2**level
        channels = plan[level - upsample]
        to_image = config.seq_to_image
        if to_image is not None:
            to_image = replace(to_image, channels=max(1, round(to_image.channels * channels / plan[0])))
        here = replace(
            config,
            seq_to_image=to_image if occurs(config.seq_to_image_at, index, repeats) else None,
            image_to_seq=config.image_to_seq if read and occurs(config.image_to_seq_at, index, repeats) else None,
            sequence_blocks=(
                config.sequence_blocks if read and occurs(config.sequence_blocks_at, index, repeats) else None
            ),
        )
        made.append(Stage(channels, plan[level], upsample, non_local, here))
    return made


def occurs(when: Occurrence, index: int, repeats: int) -> bool:
    """Whether something happens before block `index`, counted over all levels. Raises InputError for every 0th."""
    if when == "every_block":
        return True
    if when == "level_start":
        return index % repeats == 0
    if when == "level_end":
        return index % repeats == repeats - 1
    if when < 1:
        raise InputError(f"something that occurs every {when} blocks: give 1 or more")
    return index % when == 0
