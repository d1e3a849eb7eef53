"""The ray model: a point looks around, and a network says what to make of what it sees.

What rays meet is computed, and so is most of the light that leaves there: by a few rays to lights and over the
hemisphere (`luxel.models.gather`), shared among neighbours (`luxel.models.atrous_filter`), and by following what smooth
surfaces show (`luxel.models.specular`). These are estimates: noisy, blurred or of a few bounces. For every point and
colour channel a small network says how much of each to take, and how much they all lack.

It reads shares and ratios, never radiance: a picture follows its lights' common brightness exactly, and no colour
channel or unit of length is special. (Directions are, a little: patterns of rays lie in frames that depend on world
axes.)
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, Int32, Int64
from pydantic import ConfigDict, Field
from torch import Tensor, nn

from luxel import InputError
from luxel.configuration import Channels, Configuration, Layers, Pixels
from luxel.core.fragments import PIXEL_RAYS, Fragments, visible_fragments
from luxel.core.intersect import MISS
from luxel.core.rays import Rays
from luxel.core.scene_batch import OBJECT_FIELDS, SCENE_FIELDS, SceneBatch
from luxel.models.atrous_filter import LEVELS, REACH, STEPS, filter_signals
from luxel.models.chains import LOBES
from luxel.models.estimates import (
    CHANNEL_FEATURES,
    CORRECTED,
    FILTERED,
    POINT_FEATURES,
    Measured,
    measure,
)
from luxel.models.gather import gather
from luxel.models.gather_points import PATTERNS_OF_TILE, GatherSettings
from luxel.models.neighbourhood import as_neighbours, neighbourhood
from luxel.models.open_sky import sky_of_pixels
from luxel.models.outliers import spread_outliers
from luxel.models.pretrained import Pretrained
from luxel.models.shading_points import points_of_fragments, points_of_rays
from luxel.models.specular import ChainRoom, Chains, no_chains, specular_chains, unlit
from luxel.models.visible_surfaces import FragmentRadiance

MAX_COEFFICIENT = 1.5  # in the exponent: an estimate may be multiplied by 4.5
MIN_COEFFICIENT = -8.0
RESIDUAL_SHIFT = 5.0  # of the softplus of what is added, in units of the scale: 0.007 before any training
MAX_GLASS_SHARE = 0.1  # of a point's light, that glass gathered, up to which the network learns from it
FILLED = 0.999  # share of its pixel from which on an object is taken to fill it
TAIL_SHARE = 1.0  # of what paths were cut off from, before any training
# Pixels that are rendered together, and points that the network sees together: a CPU's caches nearly hold them.
PIXELS_AT_ONCE = 1 << 20
POINTS_AT_ONCE = {"cpu": 1 << 12, "cuda": 1 << 20}


RayCount: TypeAlias = Annotated[int, Field(ge=1, le=4096)]


@dataclass(frozen=True)
class RayModelConfig(Configuration, path="model"):
    """Everything that decides the network's shape, and what is computed before it."""

    kind: Literal["ray"] = "ray"
    width: Pixels = 64
    """Of pictures, in pixels, unless another size is asked for."""
    hidden: Channels = 32
    """Width of the network."""
    layers: Layers = 2
    """Residual layers between its input and its output."""
    light_rays: RayCount = 16
    """That each point sends to lights where shadows may end, and a quarter elsewhere, and where mirrors and glass show
    little of it; all everywhere if that is no multiple of four. A power of two is best spread."""
    diffuse_rays: RayCount = 6
    """Over the hemisphere of a diffuse point; a quarter where mirrors and glass show next to nothing of it."""
    glossy_rays: RayCount = 8
    """Into the lobes of a glossy one; a quarter likewise."""
    bounces: Annotated[int, Field(ge=0, le=64)] = 3
    """Surfaces that scatter, beyond the point, up to which a ray is followed."""
    chains: bool = True
    """Whether what smooth surfaces show is followed."""
    filtering: bool = True
    """Whether neighbours share what they gather."""
    occlusion: bool = True
    """Whether rays see objects, or lights and sky as if nothing were in between."""
    pixel_rays: RayCount = PIXEL_RAYS
    """Through a pixel that more than one object may share."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    """A config.json with a field that this version does not know describes another network."""

    def gather_settings(self, height: int | None, specular_points: int) -> Any:
        """GatherSettings for points of pictures so high, or of single rays, the first of which have chains."""
        settings = GatherSettings()
        settings.light_rays, settings.diffuse_rays = self.light_rays, self.diffuse_rays
        settings.glossy_rays, settings.bounces = self.glossy_rays, self.bounces
        settings.patterns_per_point, settings.height = 1 if height else PATTERNS_OF_TILE, height or self.width
        settings.occlusion, settings.specular_points = int(self.occlusion), specular_points if self.chains else 0
        return settings


class FrameRoom(NamedTuple):
    """For how many fragments, smooth points and ends of chains a frame of fixed size has room."""

    fragments: int
    chains: ChainRoom


class Shaded(NamedTuple):
    """Rows of pictures, and what they are made of."""

    radiance: Float32[Tensor, "scenes rows width 3"]
    of_fragments: FragmentRadiance
    """Of the rows, the sky being none; what a frame has room for besides comes after them."""


class RayModel(Pretrained):
    """Rays → radiance; see the module's docstring."""

    config_type = RayModelConfig
    full_precision: ClassVar[tuple[str, ...]] = ("head",)
    """Parts that stay in float32 whatever the precision of the others."""

    def __init__(self, config: RayModelConfig) -> None:
        super().__init__()
        self.config = config
        width = config.hidden
        self.point = nn.Linear(POINT_FEATURES, width)
        self.channel = nn.Linear(CHANNEL_FEATURES, width, bias=False)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(config.layers))
        self.head = nn.Linear(width, CORRECTED + 1)
        nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            self.head.bias.copy_(initial_coefficients().log())

    def forward(
        self,
        scenes: SceneBatch | Measured,
        rays: Rays | None = None,
        width: int | None = None,
        height: int | None = None,
    ) -> Float32[Tensor, "rays 3"] | Float32[Tensor, "scenes height width 3"] | Float32[Tensor, "scenes points 3"]:
        """Radiance along rays; without rays, pictures of the scenes, row 0 being the top; of measured points, theirs.

        The objects' order changes nothing, nor which scenes are together. `width` alone or `height` alone makes a
        square, neither one of the configuration's width. A ray has no neighbours, so it gathers for a tile of pixels.
        Raises InputError for scenes that require gradients, as radiance has none to them here.
        """
        if isinstance(scenes, Measured):  # [scenes, points, …]
            points = Measured(*(values.flatten(0, 1) for values in scenes))
            return self.radiance(points).unflatten(0, scenes.scale.shape[:2])
        refuse_gradients(scenes)
        if rays is None:
            side = width or height or self.config.width
            radiance = self.pictures(scenes, width or side, height or side).radiance
        else:
            table = points_of_rays(scenes, rays)
            measured, _ = self.measured(scenes, table, self.chains(scenes, table, None))
            radiance = self.radiance(measured)
        if self.training and not radiance.requires_grad:  # nothing is in view, which is no reason to stop training
            radiance = radiance + 0 * sum(weights.sum() for weights in self.parameters())
        return radiance

    def pictures(self, scenes: SceneBatch, width: int, height: int, with_fragments: bool = False) -> Shaded:
        """Each object that a pixel shows is shaded once, and blended by its coverage.

        What pictures are made of that are made in parts, as they are large, is kept for those who ask for it.
        """
        if len(scenes) * width * height <= PIXELS_AT_ONCE:
            return self.shaded(scenes, visible_fragments(scenes, width, height, self.config.pixel_rays))
        if len(scenes) > 1:
            some = max(1, PIXELS_AT_ONCE // (width * height))
            parts = (scenes[start : start + some] for start in range(0, len(scenes), some))
            pictures = (self.pictures(part, width, height, with_fragments) for part in parts)
            return joined(pictures, 0, with_fragments)
        each = bands(height, max(REACH, PIXELS_AT_ONCE // width))
        return joined((self.picture_rows(scenes, width, height, *band) for band in each), 1, with_fragments)

    def picture_rows(self, scenes: SceneBatch, width: int, height: int, first: int, end: int) -> Shaded:
        """Rows `first` … `end` − 1 of one scene's picture; they depend on nothing that is rendered with them."""
        margin = REACH + 1  # the farthest points' neighbours decide how many rays those send
        above, below = max(0, first - margin), min(height, end + margin)
        found = visible_fragments(scenes, width, height, self.config.pixel_rays, above, below - above)
        shaded, rows = self.shaded(scenes, found), slice(first - above, end - above)
        of_rows = slice(*found.offsets[[rows.start * width, rows.stop * width]].tolist())
        return Shaded(shaded.radiance[:, rows], shaded.of_fragments.part(of_rows))

    def shaded(self, scenes: SceneBatch, found: Fragments) -> Shaded:
        """The rows of the pictures that have these fragments."""
        table = points_of_fragments(scenes, found)
        return self.shaded_points(scenes, table, self.chains(scenes, table, found.height), found)

    def shaded_points(
        self, scenes: SceneBatch, table: Int32[Tensor, "points words"], chains: Chains, found: Fragments
    ) -> Shaded:
        """The rows of the pictures whose fragments are these ShadingPoints."""
        measured, least_path_variance = self.measured(scenes, table, chains, found)
        radiance = self.radiance(measured)
        return Shaded(blended(scenes, found, radiance), FragmentRadiance(radiance, least_path_variance))

    def frame(self, scenes: SceneBatch, width: int, height: int, room: FrameRoom) -> tuple[Shaded, Int64[Tensor, "3"]]:
        """Pictures, and the FrameRoom that they needed; they are wrong if it was more than they had.

        What is done does not depend on what is seen, and the host never waits for a GPU: it can be recorded.
        """
        found = visible_fragments(scenes, width, height, self.config.pixel_rays, room=room.fragments)
        table = points_of_fragments(scenes, found)
        chains = specular_chains(scenes, table, height, room.chains)
        shaded = self.shaded_points(scenes, table, chains, found)
        return shaded, torch.cat([found.needed, chains.needed])

    def chains(self, scenes: SceneBatch, table: Int32[Tensor, "points words"], height: int | None) -> Chains:
        """What the smooth ones among ShadingPoints show."""
        return specular_chains(scenes, table, height) if self.config.chains else no_chains(table)

    def measured(
        self,
        scenes: SceneBatch,
        table: Int32[Tensor, "points words"],
        chains: Chains,
        seen: Fragments | None = None,
    ) -> tuple[Measured, Float32[Tensor, " points"]]:
        """What the network reads of ShadingPoints, and FragmentRadiance's `least_path_variance`.

        Points that their chains end at are shaded by it.
        """
        config, height = self.config, None if seen is None else seen.height
        together = torch.cat([table, chains.ends])
        near = None
        if seen is not None and config.filtering:
            near = as_neighbours(neighbourhood(together, chains, seen))
        settings = config.gather_settings(height, len(table))
        throughput = chains.throughput.amax(1)
        signals = gather(scenes, together, settings, near, F.pad(throughput, (len(table), 0), value=1.0))
        if near is None:
            share = 1.0 if seen is None else 0.25  # as in the midst of a surface, or alone
            levels, shares = [signals] * LEVELS, [torch.full_like(signals[:, 0], share)] * len(STEPS)
        else:
            found = filter_signals(scenes, near, signals, settings.height)
            spread_outliers(scenes, near, found, settings)
            levels, shares = found.levels, found.shares
        lights, shown = brightest(scenes), chains.radiance
        if len(chains.ends):
            at_ends, variance_at_ends = measure(
                scenes, chains.ends, levels, shares, unlit(chains.ends), lights, first=len(table)
            )
            with torch.no_grad():  # what is learned of points seen themselves holds at these, too
                leaving = self.leaving(at_ends) * chains.throughput
            shown = shown.flatten(0, 1).index_add(0, chains.lobe_of_point, leaving).unflatten(0, (-1, LOBES))
        measured, least_path_variance = measure(scenes, table, levels, shares, shown, lights)
        if len(chains.ends):  # as if so many of the paths went there; a metal, which weakens all instead, says too much
            least_path_variance.index_add_(0, chains.lobe_of_point // LOBES, throughput * variance_at_ends)
        return measured, least_path_variance

    def measured_pixels(self, scenes: SceneBatch, width: int, height: int) -> tuple[Measured, Int32[Tensor, " pixels"]]:
        """What the network reads of the pixels that one object fills, and which of all pictures' pixels these are."""
        found = visible_fragments(scenes, width, height, self.config.pixel_rays)
        filled = (found.coverage > FILLED) & (found.object_id != MISS)
        table = points_of_fragments(scenes, found)
        measured, _ = self.measured(scenes, table, self.chains(scenes, table, height), found)
        return Measured(*(values[filled] for values in measured)), found.pixel_of_all[filled]

    def radiance(self, measured: Measured) -> Float32[Tensor, "points 3"]:
        """Of points as they are seen: what they reflect, transmit and emit."""
        return self.leaving(measured) + measured.emitted

    def leaving(self, measured: Measured) -> Float32[Tensor, "points 3"]:
        """The radiance that points reflect and transmit."""
        at_once = POINTS_AT_ONCE[measured.point.device.type]
        if len(measured.point) <= at_once:
            return self.corrected(measured)
        parts = zip(*(values.split(at_once) for values in measured), strict=True)
        return torch.cat([self.corrected(Measured(*part)) for part in parts])

    def corrected(self, measured: Measured) -> Float32[Tensor, "points 3"]:
        """The network's part: the estimates, each times its coefficient, and a residual."""
        hidden = F.relu(self.point(measured.point)[:, None] + self.channel(measured.channel), inplace=True)
        for layer in self.layers:
            hidden = hidden + F.relu(layer(hidden), inplace=True)
        with torch.autocast(hidden.device.type, enabled=False):
            out = self.head(hidden if hidden.dtype == torch.float32 else hidden.float())
            coefficients = out[..., :CORRECTED].clamp(MIN_COEFFICIENT, MAX_COEFFICIENT).exp()
            light = (coefficients * measured.estimates[..., :CORRECTED]).sum(-1)
            residual = measured.scale * F.softplus(out[..., CORRECTED])
            by_glass = measured.estimates[..., CORRECTED]
            radiance = torch.minimum(light + residual + by_glass, measured.bound)
            if self.training:  # where targets are mostly dark, and bright by chance, there is nothing to learn
                radiance = torch.where(by_glass > MAX_GLASS_SHARE * radiance, radiance.detach(), radiance)
            return radiance


def blended(
    scenes: SceneBatch, found: Fragments, radiance: Float32[Tensor, "fragments 3"]
) -> Float32[Tensor, "scenes rows width 3"]:
    """Pictures of fragments, each as much of its pixel as it covers, and of the sky."""
    pixels, place = found.width * found.rows, found.pixel_of_all.long()  # by int32, rows are added ten times as slowly
    if scenes.has_constant_skies:
        sky = scenes.background
        over_sky = found.coverage[:, None] * (radiance - sky.index_select(0, found.scene))
        picture = sky.repeat_interleave(pixels, 0).index_add(0, place, over_sky).clamp(min=0)  # −1e-8 by rounding
    else:
        free = radiance.new_ones(len(scenes) * pixels).index_add(0, place, -found.coverage).clamp(min=0)
        picture = free[:, None] * sky_of_pixels(scenes, found)
        picture = picture.index_add(0, place, found.coverage[:, None] * radiance)
    return picture.unflatten(0, (-1, found.rows, found.width))


def joined(parts: Iterable[Shaded], dimension: int, with_fragments: bool) -> Shaded:
    """Pictures of scenes after one another, or rows of one; and what they are made of, if it is asked for."""
    pictures, of_fragments = [], []
    for part in parts:
        pictures.append(part.radiance)
        of_fragments.append(part.of_fragments if with_fragments else part.of_fragments.part(slice(0)))
    return Shaded(torch.cat(pictures, dimension), FragmentRadiance.joined(of_fragments))


def refuse_gradients(scenes: SceneBatch) -> None:
    """Raise InputError if torch would expect gradients of the scenes, most of which kernels end."""
    if not torch.is_grad_enabled():
        return
    for name in (*OBJECT_FIELDS, *SCENE_FIELDS):
        if getattr(scenes, name).requires_grad:
            raise InputError(
                f"{name} of the scenes requires gradients, which a ray model's kernels would get wrong; take "
                "luxel.fit.differentiable_picture(renderer, scene, leaves), which gets them right, or detach it"
            )


def initial_coefficients() -> Float[Tensor, " outputs"]:
    """Of every estimate before any training, and last the residual's argument, as what its exponential is."""
    of_kinds = [1 / levels for levels in FILTERED for _ in range(levels)]
    return torch.tensor([*of_kinds, 1.0, 1.0, TAIL_SHARE, math.exp(-RESIDUAL_SHIFT)])


def bands(height: int, rows: int) -> Iterator[tuple[int, int]]:
    """Where so many rows after another begin and end."""
    for first in range(0, height, rows):
        yield first, min(height, first + rows)


@torch.no_grad()
def brightest(scenes: SceneBatch) -> Float[Tensor, "scenes 3"]:
    """The radiance of each scene's brightest light, by channel."""
    far = scenes.background if scenes.has_constant_skies else scenes.brightest_sky
    rows = scenes.scene_of_object.long()[:, None].expand(-1, 3)
    return far.scatter_reduce(0, rows, scenes.emission, "amax")
