"""The ray model: where a ray goes is computed, what light it finds there is learned.

Light transport is linear in what emits. So the network says, for each point that a ray meets, each emitter and each
colour channel, which part of the emitter's radiance leaves the point along the ray: its transfer. Radiance is the
sum over the emitters, the sky being one, and the object's own emission. The network never sees an emission: lamps of
any brightness are as good as those that it was trained on.

A transfer is estimated in closed form (`luxel.models.features`), by what the mirror ray and the refracted ray show,
whose transfers are the network's own; the network weighs each estimate by a factor and adds what is missing.

Shapes: points of all scenes stand in one row of lanes; slots are the lamps of a scene and, last, its sky.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32, Int64
from pydantic import ConfigDict
from torch import Tensor, nn

from luxel import InputError
from luxel.geometry.arrays import normalised
from luxel.geometry.intersect import NOTHING
from luxel.models import features
from luxel.models.features import Emitters, Lit
from luxel.models.pretrained import Pretrained
from luxel.models.sequence import Transformer, TransformerConfig
from luxel.models.surface import (
    Material,
    Nested,
    Onward,
    Points,
    ShapeArrays,
    Surfaces,
    by_lane,
    frame,
    material_at,
    meet,
    nested,
    reflected,
    refracted,
    seen,
    surfaces,
)
from luxel.models.visibility import footprints
from luxel.scene.camera import NEAR_CLIP
from luxel.scene.tokens import FIELDS, OBJECT_FEATURES

WORTH = 0.02  # of a reflectance or transmittance, for its ray to be followed
ESTIMATES = 6  # the last of which, of indirect light, is told and not corrected
CORRECTED = ESTIMATES - 1
LARGEST_CORRECTION = 3.0  # in the exponent, of an estimate in closed form
SHOWN_AT_MOST = (
    1.25  # of what a mirror or glass shows: a rough one shows less, and only the estimate's error is above 1
)
REST_BELOW = 3.0  # shifts the softplus of what is added: 0.05 before any training
SMALLEST_GROUP = 4  # objects that every scene is padded to
# That are held for the rays computed together, about: 64 MiB, which a CPU's caches nearly hold, and 256 MiB.
CPU_NUMBERS, GPU_NUMBERS = 1 << 24, 1 << 26


@dataclass(frozen=True)
class RayModelConfig:
    """Everything that decides the network's shape, and what is computed before it."""

    kind: Literal["ray"] = "ray"
    width: int = 64
    """Of pictures, in pixels, unless another size is asked for."""
    point_width: int = 64
    heads: int = 4
    layers: int = 2
    emitter_width: int = 32
    bounces: int = 1
    """How often mirror rays and refracted rays are followed."""
    estimates: bool = True
    """Whether transfers are corrections of estimates in closed form, coloured by the material."""
    scene_transformer: TransformerConfig | None = None
    """Objects tell each other where and what they are before any ray asks."""
    grid: int = 4
    """Rays along each side of a pixel that more than one object may share."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    """A config.json with a field that this version does not know describes another network."""

    def __post_init__(self) -> None:
        for name in ("width", "point_width", "heads", "layers", "emitter_width", "grid", "bounces"):
            low = 0 if name == "bounces" else 1
            if getattr(self, name) < low:
                raise InputError(f"model.{name} is {getattr(self, name)}, must be at least {low}")
        if self.point_width % self.heads:
            raise InputError(f"model.point_width {self.point_width} is not a multiple of its {self.heads} heads")


class Scenes(NamedTuple):
    """What rays can meet in a batch of scenes, and what lights it."""

    surfaces: Surfaces
    nested: Nested
    emitters: Emitters
    power: Float[Tensor, "3 scenes slots"]
    context: Float[Tensor, "scenes objects point_width"] | None

    def trimmed(self, objects: int) -> "Scenes":
        """For points whose scenes have no more objects than this."""
        surfaces = self.surfaces
        shapes = ShapeArrays(*(field[..., :objects] for field in surfaces.shapes))
        fields = (field[..., :objects] for field in surfaces[1:])
        return self._replace(
            surfaces=Surfaces(shapes, *fields),
            nested=Nested(*(field[:, :objects, :objects] for field in self.nested)),
            context=None if self.context is None else self.context[:, :objects],
        )


class RayModel(Pretrained):
    """Rays → radiance; see the module's docstring."""

    config_type = RayModelConfig
    full_precision: ClassVar[tuple[str, ...]] = ("head",)
    """Parts that stay in float32 whatever the precision of the others."""

    def __init__(self, config: RayModelConfig) -> None:
        super().__init__()
        self.config = config
        width, narrow = config.point_width, config.emitter_width
        self.point = nn.Sequential(nn.Linear(features.POINT_FEATURES, width), nn.ReLU(), nn.Linear(width, width))
        self.pair = nn.Linear(features.PAIR_FEATURES, width)
        self.layers = nn.ModuleList(PairLayer(width, config.heads) for _ in range(config.layers))
        self.context = None if config.scene_transformer is None else Context(width, config.scene_transformer)
        self.lamp_point = nn.Linear(width, narrow)
        self.lamp_pair = nn.Linear(width, narrow)
        self.lamp_features = nn.Linear(features.EMITTER_FEATURES, narrow)
        self.sky = nn.Linear(width, narrow)
        self.tint = nn.Linear(width, narrow)
        self.color = nn.Linear(4 + 2 * ESTIMATES, narrow)
        self.mix = nn.Linear(narrow, narrow)
        self.head = nn.Linear(narrow, 1 + CORRECTED)
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear) and not name.startswith(("head", "context")):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")  # torch's own would be 2.4 times smaller

    def forward(
        self,
        tokens: Float[Tensor, "batch objects features"],
        mask: Bool[Tensor, "batch objects"],
        camera: Float[Tensor, "batch 1"],
        background: Float[Tensor, "batch 3"],
        rays: Float[Tensor, "batch rays 2"] | None = None,
        width: int | None = None,
        height: int | None = None,
    ) -> Float32[Tensor, "batch rays 3"] | Float32[Tensor, "batch height width 3"]:
        """Radiance along rays of direction (x, y, −1) in camera space; without rays, pictures of the scenes.

        Neither the objects' order nor padding changes it. `width` alone or `height` alone makes a square, neither one
        of the configuration's width.
        """
        scenes = self.scenes(tokens, mask, background)
        if rays is None:
            side = width or height or self.config.width
            light = self.pictures(scenes, camera, width or side, height or side)
        else:
            scene = torch.arange(len(mask), device=mask.device).repeat_interleave(rays.shape[1])
            light = self.radiance(scenes, scene, rays.flatten(0, 1)).unflatten(0, rays.shape[:2])
        if self.training and not light.requires_grad:  # nothing is in view, which is no reason not to go on training
            light = light + 0 * sum(weights.sum() for weights in self.parameters())
        return light

    def scenes(
        self,
        tokens: Float[Tensor, "batch objects features"],
        mask: Bool[Tensor, "batch objects"],
        background: Float[Tensor, "batch 3"],
    ) -> Scenes:
        """All that is computed once a scene, whatever rays then ask: little, unless it has a scene transformer."""
        order = mask.int().argsort(dim=1, descending=True, stable=True)  # what is real comes first from here on
        tokens, mask = tokens.gather(1, order[..., None].expand_as(tokens)), mask.gather(1, order)
        emitters = features.emitters(tokens[..., FIELDS["emission"]], mask)
        power = torch.cat([emitters.radiance, background.T[:, :, None]], 2)
        context = None if self.context is None else self.context(tokens, mask)
        objects = surfaces(tokens, mask)
        return Scenes(objects, nested(objects), emitters, power, context)

    def pictures(
        self, scenes: Scenes, camera: Float[Tensor, "scenes 1"], width: int, height: int
    ) -> Float32[Tensor, "scenes height width 3"]:
        """Each object that a pixel shows is shaded once, and blended by its coverage."""
        surfaces, sky = scenes.surfaces, scenes.power[:, :, -1].T
        prints = footprints(surfaces.shapes, surfaces.real, camera, width, height, self.config.grid)
        light = self.radiance(scenes, prints.scene, prints.ray)
        beyond = prints.coverage[:, None] * (light - sky[prints.scene])
        pixels = sky[:, None].repeat(1, width * height, 1).flatten(0, 1)
        return pixels.index_add(0, prints.scene * width * height + prints.pixel, beyond).unflatten(
            0, (-1, height, width)
        )

    def radiance(
        self, scenes: Scenes, scene: Int64[Tensor, " lanes"], rays: Float[Tensor, "lanes 2"]
    ) -> Float32[Tensor, "lanes 3"]:
        """Radiance along each ray, computed together for scenes of like size."""
        light = scenes.power.new_zeros(len(rays), 3)
        count = scenes.surfaces.real.sum(1)[scene]
        low, high, most = 0, SMALLEST_GROUP, scenes.surfaces.real.shape[1]
        while low < most:
            inside = ((count > low) & (count <= high)).nonzero()[:, 0]
            group = scenes.trimmed(high)
            for lanes in inside.split(self.lanes_at_once(min(high, most), scenes.power.shape[2])):
                light = light.index_copy(0, lanes, self._radiance(group, scene[lanes], rays[lanes]))
            low, high = high, 2 * high
        return light

    def lanes_at_once(self, objects: int, slots: int) -> int:
        """How many rays fit in memory together, from what is held of each pair, emitter, and both."""
        config = self.config
        pairs = objects * (features.PAIR_FEATURES + 4 * config.point_width)
        rows = slots * (40 * objects + 15 * config.emitter_width)
        numbers = CPU_NUMBERS if self.head.weight.device.type == "cpu" else GPU_NUMBERS
        return max(1, numbers // (pairs + rows))

    def _radiance(
        self, scenes: Scenes, scene: Int64[Tensor, " lanes"], rays: Float[Tensor, "lanes 2"]
    ) -> Float32[Tensor, "lanes 3"]:
        if not len(rays):
            return rays.new_zeros(0, 3)
        direction = torch.cat([rays, -torch.ones_like(rays[:, :1])], 1).T
        with torch.no_grad():
            start, nowhere = NEAR_CLIP * direction, torch.full_like(scene, NOTHING)
            points = meet(scenes.surfaces, scene, start, normalised(direction), nowhere)
        transfer = self.transfer(scenes, points, self.config.bounces)
        return (transfer * scenes.power[:, scene].permute(1, 2, 0)).sum(1)  # in float32 under autocast too

    def transfer(self, scenes: Scenes, points: Points, bounces: int) -> Float[Tensor, "lanes slots 3"]:
        """The part of each emitter's radiance that arrives along the rays that ended at these points."""
        total = scenes.power.new_zeros(len(points.item), scenes.power.shape[2], 3)
        total[~points.hit, -1] = 1.0
        lanes = points.hit.nonzero()[:, 0]
        if not len(lanes):
            return total
        return total.index_copy(0, lanes, self.leaving(scenes, points.at(lanes), bounces))

    def leaving(self, scenes: Scenes, points: Points, bounces: int) -> Float[Tensor, "lanes slots 3"]:
        """Transfer from surfaces, their own emission included."""
        with torch.no_grad():
            material = material_at(scenes.surfaces, points)
            mirror, through = onward(scenes.surfaces, points, material) if bounces else (None, None)
        shown = [scenes.power.new_zeros(len(points.item), scenes.power.shape[2], 3)] * 2
        if mirror is not None and through is not None:
            both = Points(*(torch.cat(parts, -1) for parts in zip(mirror.points, through.points, strict=True)))
            part, other = self.transfer(scenes, both, bounces - 1).split([len(mirror.source), len(through.source)])
            other = other * entered(material, through).T[:, None]
            shown = [shown[0].index_copy(0, mirror.source, part), shown[1].index_copy(0, through.source, other)]
        with torch.no_grad():
            inputs = read(scenes, points, material, mirror, through)
        lamps = scenes.emitters
        own = (lamps.item[points.scene] == points.item[:, None]) & lamps.real[points.scene] & ~points.inside[:, None]
        return self.learned(scenes, points, material, inputs, shown) + F.pad(own, (0, 1))[..., None]

    def learned(
        self,
        scenes: Scenes,
        points: Points,
        material: Material,
        inputs: "Inputs",
        shown: list[Float[Tensor, "lanes slots 3"]],
    ) -> Float[Tensor, "lanes slots 3"]:
        """The network's part: reflected and transmitted light."""
        point, pairs = self.point(inputs.points), self.pair(inputs.pairs.flatten(0, 1))
        pairs = pairs.unflatten(0, (-1, len(point)))
        if scenes.context is not None:
            pairs = pairs + scenes.context[points.scene].transpose(0, 1)
        pairs = F.relu(pairs, inplace=True)
        for layer in self.layers:
            point, pairs, weights = layer(point, pairs, inputs.real)
        color = by_lane(scenes.surfaces.base_color, points.scene).transpose(1, 2)
        tint = self.tint(torch.stack([pooled(weights * channel[..., None], pairs) for channel in color], 1))

        lit, every = inputs.lit, torch.arange(len(point), device=point.device)
        lamp = self.lamp_pair(pairs.flatten(0, 1).index_select(0, lit.item * len(point) + lit.lane))
        lamp = lamp + self.lamp_features(lit.features) + self.lamp_point(point).index_select(0, lit.lane)
        lane, slot = torch.cat([lit.lane, every]), torch.cat([lit.slot, torch.full_like(every, shown[0].shape[1] - 1)])
        known = torch.stack([material.base_color, *material.by_channel], -1).transpose(0, 1).index_select(0, lane)
        estimates = estimated(known, inputs, [part[lane, slot] for part in shown])
        if not self.config.estimates:
            estimates = torch.zeros_like(estimates)
        told = torch.cat([known, estimates.clamp(max=1), 0.2 * estimates.clamp(min=1e-5).log()], -1)
        hidden = self.color(told) + tint.index_select(0, lane)
        hidden = F.relu(hidden + torch.cat([lamp, self.sky(point)])[:, None], inplace=True)
        hidden = hidden + F.relu(self.mix(hidden), inplace=True)
        with torch.autocast(point.device.type, enabled=False):
            out = self.head(hidden.float())
        if self.config.estimates:
            closed = out[..., 1:4].clamp(-2 * LARGEST_CORRECTION, LARGEST_CORRECTION).exp()
            corrections = torch.cat([closed, SHOWN_AT_MOST * out[..., 4:].sigmoid()], -1)
            transfer = (corrections * estimates[..., :CORRECTED]).sum(-1)
            rest = inputs.scale[:, None] * F.softplus(out[..., 0] - REST_BELOW)
            transfer = transfer + rest * known[..., 1:].sum(-1)
        else:
            transfer = F.softplus(out[..., 0])
        transfer = torch.where(inputs.shut[:, None], 0.0, transfer)
        return transfer.new_zeros(shown[0].shape).index_put((lane, slot), transfer)


class PairLayer(nn.Module):
    """Each point tells its objects about itself, and gathers from them by their own weights."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.pairs = nn.Linear(width, width)
        self.tell = nn.Linear(width, width)
        self.weigh = nn.Linear(width, heads)
        self.gather = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )

    def forward(
        self,
        point: Float[Tensor, "lanes width"],
        pairs: Float[Tensor, "objects lanes width"],
        real: Bool[Tensor, "objects #lanes"],
    ) -> tuple[
        Float[Tensor, "lanes width"], Float[Tensor, "objects lanes width"], Float[Tensor, "objects lanes heads"]
    ]:
        """The points, the pairs, and the weights, which add up to 1 over a point's real objects."""
        pairs = F.relu(self.pairs(pairs).add_(self.tell(point)), inplace=True)
        weights = self.weigh(pairs).masked_fill(~real[..., None], -torch.inf).softmax(0)
        point = point + self.gather(pooled(weights, pairs))
        return point + self.mlp(point), pairs, weights


def pooled(
    weights: Float[Tensor, "objects lanes heads"], pairs: Float[Tensor, "objects lanes width"]
) -> Float[Tensor, "lanes width"]:
    """Every head's part of the pairs, weighted and summed over the objects."""
    return (weights[..., None] * pairs.unflatten(2, (weights.shape[2], -1))).sum(0).flatten(1)


class Context(nn.Module):
    """The sequence transformer over a scene's objects, which sees all of them but their emission."""

    def __init__(self, width: int, config: TransformerConfig) -> None:
        super().__init__()
        self.input = nn.Linear(OBJECT_FEATURES, width)
        self.transformer = Transformer(width, config)

    def forward(
        self, tokens: Float[Tensor, "batch objects features"], mask: Bool[Tensor, "batch objects"]
    ) -> Float[Tensor, "batch objects width"]:
        """What each object knows of the others."""
        dark = tokens.clone()
        for name in ("emission", "log_emission"):
            dark[..., FIELDS[name]] = 0
        context: Tensor = self.transformer(self.input(dark), mask)
        return context


class Inputs(NamedTuple):
    """What the network reads of the points; rows are those of `lit`, and then every lane for its sky."""

    points: Float[Tensor, "lanes point_features"]
    pairs: Float[Tensor, "objects lanes pair_features"]
    real: Bool[Tensor, "objects #lanes"]
    lit: Lit
    direct: Float[Tensor, " rows"]  # irradiance over π by an emitter of unit radiance, unoccluded for the sky
    scale: Float[Tensor, " rows"]  # the emitter's solid angle over π, at most 1
    indirect: Float[Tensor, "rows 3"]  # irradiance over π by way of one other object
    shut: Bool[Tensor, " rows"]  # whether no light of the emitter can arrive


def read(scenes: Scenes, points: Points, material: Material, mirror: Onward | None, through: Onward | None) -> Inputs:
    """Compute the network's inputs."""
    there, ways = seen(scenes.surfaces, points), features.followed(points, mirror, through)
    near = features.approach(points, there, ways)
    pairs = features.pair_features(scenes.surfaces, points, there, near, frame(points), ways)
    lit = features.lit(scenes.emitters, points, material, there, near)
    ones = torch.ones_like(material.cosine)
    return Inputs(
        features.point_features(points, material, ways),
        pairs,
        there.real,
        lit,
        torch.cat([lit.irradiance, ones]),
        torch.cat([lit.scale, ones]),
        features.bounced(scenes.surfaces, points, there, lit),
        features.shut(scenes.surfaces, scenes.nested, points, material, there, lit),
    )


def estimated(
    known: Float[Tensor, "rows 3 4"], inputs: Inputs, shown: list[Float[Tensor, "rows 3"]]
) -> Float[Tensor, "rows 3 estimates"]:
    """Transfers in closed form: lambertian, glossy, through rough glass, as mirrored, as refracted, and indirect.

    `known` is the point's base colour and what `Material.by_channel` says of it.
    """
    _, diffuse, mirror, through = known.unbind(2)
    lit, no_lobe = inputs.lit, torch.zeros_like(inputs.points[:, 0])
    gloss, gleam = (torch.cat([part, no_lobe])[:, None] for part in (lit.mirror, lit.through))
    in_mirror, in_glass = shown
    return torch.stack(
        [
            inputs.direct[:, None] * diffuse,
            gloss * mirror,
            gleam * through,
            in_mirror * mirror,
            in_glass * through,
            inputs.indirect * diffuse,
        ],
        -1,
    )


def entered(material: Material, through: Onward) -> Float[Tensor, "3 onward"]:
    """What a refracted ray that stays in its object is worth beside one that leaves it: it crosses one surface only.

    That is √color instead of color, and radiance's loss of η² on entering is not made up for.
    """
    color, eta = material.base_color[:, through.source], material.eta[through.source]
    return torch.where(through.kept, 1 / (color.clamp(min=1e-4).sqrt() * eta * eta), 1.0)


def onward(scenes: Surfaces, points: Points, material: Material) -> tuple[Onward, Onward]:
    """The mirror rays and the refracted rays that are worth following: a rough surface blurs what it shows."""
    clear = 1 - material.roughness
    mirror = (material.mirror.amax(0) * clear > WORTH).nonzero()[:, 0]
    through = (material.through.amax(0) * clear > WORTH).nonzero()[:, 0]
    return reflected(scenes, points, mirror), refracted(scenes, points, material.eta, through)
