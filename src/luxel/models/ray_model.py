"""The ray model: where a ray goes is computed, what light it finds there is learned.

Light transport is linear in what emits. So the network says, for each point that a ray meets, each emitter and each
colour channel, which part of the emitter's radiance leaves the point along the ray: its transfer. Radiance is the
sum over the emitters, the sky being one, and the object's own emission. The network never sees an emission: lamps of
any brightness are as good as those that it was trained on.

A transfer is estimated in closed form (`luxel.models.features`), and by what the mirror ray and the transmitted ray
show, whose transfers are the network's own; the network multiplies each estimate by a factor and adds a residual.

Shapes: lanes are points of all scenes in one row; slots are the lamps of a scene and, last, its sky; rows are pairs of
a point and an emitter, as in `luxel.models.lighting.Lighting`.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32, Int32, Int64
from pydantic import ConfigDict
from torch import Tensor, nn

from luxel import InputError
from luxel.core.fragments import visible_fragments
from luxel.core.intersect import MISS
from luxel.core.rays import Rays, image_plane_rays
from luxel.core.scene_batch import SceneBatch
from luxel.models import features
from luxel.models.features import PointFeatures
from luxel.models.lighting import EMITTER_FEATURES, Lighting, emitter_slots, lighting_of
from luxel.models.pretrained import Pretrained
from luxel.models.sequence import Transformer, TransformerConfig
from luxel.models.surface import (
    SecondaryRays,
    SurfaceOptics,
    SurfacePoints,
    first_surface,
    mirror_rays,
    surface_optics,
    transmitted_rays,
)
from luxel.models.tokens import FIELDS, OBJECT_FEATURES, encode

FOLLOWED_ABOVE = 0.02  # of a reflectance or transmittance times the share of the lobe that is sharp
ESTIMATES = 6  # the last of which, of one bounce, is an input only and not corrected
CORRECTED = ESTIMATES - 1
LARGEST_CORRECTION = 3.0  # in the exponent, of an estimate in closed form
MAX_SPECULAR_TRANSFER = 1.25  # of what a mirror or glass shows: a rough one shows less, and only errors are above 1
RESIDUAL_SHIFT = 3.0  # of the softplus of what is added: 0.05 before any training
SMALLEST_GROUP = 4  # objects that every scene is padded to
# Numbers held for the rays computed together, about: 64 MiB, which a CPU's caches nearly hold, and 256 MiB.
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


class PreparedScenes(NamedTuple):
    """What is computed once a scene, whatever rays then ask."""

    batch: SceneBatch
    ball_radius: Float[Tensor, " all_objects"]  # see `features.ball_radii`
    base_color: Float[Tensor, "scenes objects 3"]  # 0 where there is no object
    emitters: Int64[Tensor, "scenes lamps"]  # objects (rows), or MISS
    emitter_radiance: Float[Tensor, "scenes slots 3"]
    context: Float[Tensor, "scenes objects point_width"] | None


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
        self.lamp_features = nn.Linear(EMITTER_FEATURES, narrow)
        self.sky = nn.Linear(width, narrow)
        self.tint = nn.Linear(width, narrow)
        self.color = nn.Linear(4 + 2 * ESTIMATES, narrow)
        self.mix = nn.Linear(narrow, narrow)
        self.head = nn.Linear(narrow, 1 + CORRECTED)
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear) and not name.startswith(("head", "context")):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")  # torch's own would be 2.4 times smaller

    def forward(
        self, scenes: SceneBatch, rays: Rays | None = None, width: int | None = None, height: int | None = None
    ) -> Float32[Tensor, "rays 3"] | Float32[Tensor, "scenes height width 3"]:
        """Radiance along rays; without rays, pictures of the scenes, row 0 being the top.

        The objects' order changes nothing, nor which scenes are together. `width` alone or `height` alone makes a
        square, neither one of the configuration's width.
        """
        prepared = self.prepare(scenes)
        if rays is None:
            side = width or height or self.config.width
            radiance = self.pictures(prepared, width or side, height or side)
        else:
            radiance = self.radiance(prepared, rays)
        if self.training and not radiance.requires_grad:  # nothing is in view, which is no reason to stop training
            radiance = radiance + 0 * sum(weights.sum() for weights in self.parameters())
        return radiance

    def prepare(self, scenes: SceneBatch) -> PreparedScenes:
        """All that does not depend on rays: little, unless the model has a scene transformer."""
        batch, emitters = features.with_extents(scenes), emitter_slots(scenes)
        lamps = torch.where((emitters == MISS)[..., None], 0.0, batch.emission[emitters.clamp(min=0)])
        return PreparedScenes(
            batch=batch,
            ball_radius=features.ball_radii(batch),
            base_color=batch.padded(batch.base_color, int(batch.counts.max())),
            emitters=emitters,
            emitter_radiance=torch.cat([lamps, batch.background[:, None]], 1),
            context=None if self.context is None else self.context(scenes),
        )

    def pictures(self, scenes: PreparedScenes, width: int, height: int) -> Float32[Tensor, "scenes height width 3"]:
        """Each object that a pixel shows is shaded once, and blended by its coverage."""
        batch, sky = scenes.batch, scenes.emitter_radiance[:, -1]
        visible = visible_fragments(batch, width, height, self.config.grid)
        with torch.autocast(batch.device.type, enabled=False):
            rays = image_plane_rays(batch, visible.point, visible.scene.int())
        over_sky = visible.coverage[:, None] * (self.radiance(scenes, rays) - sky[visible.scene])
        pixels = sky.repeat_interleave(width * height, 0)
        pixels = pixels.index_add(0, visible.scene * width * height + visible.pixel, over_sky)
        return pixels.clamp(min=0).unflatten(0, (-1, height, width))  # rounding may leave −1e-8 of the sky

    def radiance(self, scenes: PreparedScenes, rays: Rays) -> Float32[Tensor, "rays 3"]:
        """Radiance along each ray, computed together for scenes of like size."""
        counts = scenes.batch.counts
        radiance = scenes.emitter_radiance.new_zeros(len(rays), 3)
        count = counts.to(radiance.device)[rays.scene]
        low, high, most = 0, SMALLEST_GROUP, int(counts.max())
        while low < most:
            inside, objects = ((count > low) & (count <= high)).nonzero()[:, 0], min(high, most)
            for lanes in inside.split(self.lanes_at_once(objects, scenes.emitter_radiance.shape[1])):
                part = Rays(rays.origin[lanes], rays.direction[lanes], rays.scene[lanes])
                radiance = radiance.index_copy(0, lanes, self._radiance(scenes, part, objects))
            low, high = high, 2 * high
        return radiance

    def lanes_at_once(self, objects: int, slots: int) -> int:
        """How many rays fit in memory together, from what is held of each pair with an object and with an emitter."""
        config = self.config
        pairs = objects * (features.PAIR_FEATURES + 5 * config.point_width)
        rows = slots * 15 * config.emitter_width
        numbers = CPU_NUMBERS if self.head.weight.device.type == "cpu" else GPU_NUMBERS
        return max(1, numbers // (pairs + rows))

    def _radiance(self, scenes: PreparedScenes, rays: Rays, objects: int) -> Float32[Tensor, "rays 3"]:
        """Of rays in scenes of no more than so many objects."""
        points = first_surface(scenes.batch, rays)
        transfer = self.transfer(scenes, points, objects, self.config.bounces)
        return (transfer * scenes.emitter_radiance[rays.scene]).sum(1)  # in float32 under autocast too

    def transfer(
        self, scenes: PreparedScenes, points: SurfacePoints, objects: int, bounces: int
    ) -> Float[Tensor, "lanes slots 3"]:
        """The part of each emitter's radiance that arrives along the rays that ended at these points."""
        hit = points.object_id != MISS
        total = scenes.emitter_radiance.new_zeros(len(hit), scenes.emitter_radiance.shape[1], 3)
        total[~hit, -1] = 1.0
        lanes = hit.nonzero()[:, 0]
        if not len(lanes):
            return total
        return total.index_copy(0, lanes, self.leaving(scenes, points.at(lanes), objects, bounces))

    def leaving(
        self, scenes: PreparedScenes, points: SurfacePoints, objects: int, bounces: int
    ) -> Float[Tensor, "lanes slots 3"]:
        """Transfer from surfaces, their own emission included."""
        batch, slots = scenes.batch, scenes.emitter_radiance.shape[1]
        optics = surface_optics(batch, points)
        mirror, transmitted = secondary_rays(batch, points, optics) if bounces else (None, None)
        specular = [scenes.emitter_radiance.new_zeros(len(points.scene), slots, 3)] * 2
        if mirror is not None and transmitted is not None:
            both = SurfacePoints(*(torch.cat(parts) for parts in zip(mirror.points, transmitted.points, strict=True)))
            further = self.transfer(scenes, both, objects, bounces - 1)
            reflected, refracted = further.split([len(mirror.source), len(transmitted.source)])
            refracted = refracted * crossing_once(optics, transmitted)[:, None]
            specular = [
                specular[0].index_copy(0, mirror.source, reflected),
                specular[1].index_copy(0, transmitted.source, refracted),
            ]
        table = features.point_table(points, mirror, transmitted)
        measured = features.point_features(batch, scenes.ball_radius, points, table, objects)
        lighting = lighting_of(batch, scenes.ball_radius, scenes.emitters, points, table)
        emits = (scenes.emitters[points.scene] == points.object_id[:, None]) & points.is_front[:, None]
        return self.learned(scenes, points, optics, measured, lighting, specular) + F.pad(emits, (0, 1))[..., None]

    def learned(
        self,
        scenes: PreparedScenes,
        points: SurfacePoints,
        optics: SurfaceOptics,
        measured: PointFeatures,
        lighting: Lighting,
        specular: list[Float[Tensor, "lanes slots 3"]],
    ) -> Float[Tensor, "lanes slots 3"]:
        """The network's part: reflected and transmitted light. `specular` is what mirror and transmitted rays show."""
        lanes, objects = len(points.scene), len(measured.pairs)
        point, pairs = self.point(measured.point), self.pair(measured.pairs.flatten(0, 1)).unflatten(0, (-1, lanes))
        if scenes.context is not None:
            pairs = pairs + by_lane(scenes.context[:, :objects], points.scene)
        pairs = F.relu(pairs, inplace=True)
        for layer in self.layers:
            point, pairs, weights = layer(point, pairs, measured.is_real)
        color = by_lane(scenes.base_color[:, :objects], points.scene).unbind(2)
        tint = self.tint(torch.stack([pooled(weights * channel[..., None], pairs) for channel in color], 1))

        lane, number = lighting.lane, scenes.batch.number_in_scene[lighting.object_id]
        lamp_lane = lane[: len(number)]
        lamp = self.lamp_pair(pairs.flatten(0, 1).index_select(0, number * lanes + lamp_lane))
        lamp = lamp + self.lamp_features(lighting.features) + self.lamp_point(point).index_select(0, lamp_lane)
        channels = [optics.base_color, optics.diffuse, optics.reflectance, optics.transmittance]
        albedos = torch.stack(channels, -1).index_select(0, lane)
        estimates = estimated(albedos, lighting, [part[lane, lighting.slot] for part in specular])
        if not self.config.estimates:
            estimates = torch.zeros_like(estimates)
        inputs = torch.cat([albedos, estimates.clamp(max=1), 0.2 * estimates.clamp(min=1e-5).log()], -1)
        hidden = self.color(inputs) + tint.index_select(0, lane)
        hidden = F.relu(hidden + torch.cat([lamp, self.sky(point)])[:, None], inplace=True)
        hidden = hidden + F.relu(self.mix(hidden), inplace=True)
        with torch.autocast(point.device.type, enabled=False):
            out = self.head(hidden.float())
        if self.config.estimates:
            closed = out[..., 1:4].clamp(-2 * LARGEST_CORRECTION, LARGEST_CORRECTION).exp()
            corrections = torch.cat([closed, MAX_SPECULAR_TRANSFER * out[..., 4:].sigmoid()], -1)
            transfer = (corrections * estimates[..., :CORRECTED]).sum(-1)
            residual = lighting.solid_angle[:, None] * F.softplus(out[..., 0] - RESIDUAL_SHIFT)
            transfer = transfer + residual * albedos[..., 1:].sum(-1)
        else:
            transfer = F.softplus(out[..., 0])
        transfer = torch.where(lighting.is_blocked[:, None], 0.0, transfer)
        return transfer.new_zeros(specular[0].shape).index_put((lane, lighting.slot), transfer)


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
        is_real: Bool[Tensor, "objects #lanes"],
    ) -> tuple[
        Float[Tensor, "lanes width"], Float[Tensor, "objects lanes width"], Float[Tensor, "objects lanes heads"]
    ]:
        """The points, the pairs, and the weights, which add up to 1 over a point's real objects."""
        pairs = F.relu(self.pairs(pairs).add_(self.tell(point)), inplace=True)
        weights = self.weigh(pairs).masked_fill(~is_real[..., None], -torch.inf).softmax(0)
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

    def forward(self, scenes: SceneBatch) -> Float[Tensor, "scenes objects width"]:
        """What each object learns of the others."""
        tokens = encode(scenes)
        dark = tokens.objects.clone()
        for name in ("emission", "log_emission"):
            dark[..., FIELDS[name]] = 0
        context: Tensor = self.transformer(self.input(dark), tokens.mask)
        return context


def by_lane(
    values: Float[Tensor, "scenes objects features"], scene: Int32[Tensor, " lanes"]
) -> Float[Tensor, "objects #lanes features"]:
    """Values of each lane's scene; of one scene alone the values themselves, which broadcast.

    A picture is mostly of one scene, and a copy for every lane would cost more than what is computed from it.
    """
    return (values if len(values) == 1 else values[scene]).transpose(0, 1)


def estimated(
    albedos: Float[Tensor, "rows 3 4"], lighting: Lighting, specular: list[Float[Tensor, "rows 3"]]
) -> Float[Tensor, "rows 3 estimates"]:
    """Transfers in closed form: Lambertian, glossy, through rough glass, as mirrored, as transmitted, by one bounce.

    `albedos` are the point's base colour, diffuse albedo, reflectance and transmittance.
    """
    _, diffuse, reflectance, transmittance = albedos.unbind(2)
    mirrored, transmitted = specular
    return torch.stack(
        [
            lighting.irradiance[:, None] * diffuse,
            lighting.glossy_reflection[:, None] * reflectance,
            lighting.glossy_transmission[:, None] * transmittance,
            mirrored * reflectance,
            transmitted * transmittance,
            lighting.one_bounce * diffuse,
        ],
        -1,
    )


def crossing_once(optics: SurfaceOptics, transmitted: SecondaryRays) -> Float[Tensor, "rays 3"]:
    """What a transmitted ray that stays in its object is worth beside one that leaves it: it crosses one surface only.

    That is √color instead of color, and radiance's loss of η² on entering is not made up for.
    """
    color, eta = optics.base_color[transmitted.source], optics.eta[transmitted.source, None]
    return torch.where(transmitted.stays_inside[:, None], 1 / (color.clamp(min=1e-4).sqrt() * eta * eta), 1.0)


@torch.no_grad()
def secondary_rays(
    batch: SceneBatch, points: SurfacePoints, optics: SurfaceOptics
) -> tuple[SecondaryRays, SecondaryRays]:
    """The mirror rays and the transmitted rays that are worth following: a rough surface blurs what it shows."""
    sharp = 1 - optics.roughness
    mirror = (optics.reflectance.amax(1) * sharp > FOLLOWED_ABOVE).nonzero()[:, 0]
    transmitted = (optics.transmittance.amax(1) * sharp > FOLLOWED_ABOVE).nonzero()[:, 0]
    return mirror_rays(batch, points, mirror), transmitted_rays(batch, points, optics.eta, transmitted)
