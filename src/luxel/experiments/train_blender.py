"""Training the Blender that comes with the ray models: scenes, their pictures, paths, and more paths as targets.

    python -m luxel.experiments.train_blender --out src/luxel/pretrained/ray-small/blender

Scenes of `composed`, every fourth of `mixed`, and every fourth with light that paths find by chance
(`luxel.experiments.rare_light`), of a seed that no ray model has seen, are traced twice for the target, and with more
paths where the two differ: what all paths have missed is no truth to learn from. Each file is kept in the folder
--data, whatever becomes of ray models, and a repeated command makes what is missing. Then those that ship render them,
and they are traced once for each number of paths, placed as the picture has it and with noise of its own. The network
reads single pixels, so that a few hundred scenes are millions of examples. The loss of every scene is taken over that
of the network's picture: what is gained is to be gained everywhere, not on the few scenes of the largest errors.
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
import tyro
from jaxtyping import Float, Int64
from pydantic import Field
from torch import Tensor, nn

from luxel.configuration import Configuration, Pixels, Seed, Steps
from luxel.core.scene_batch import SceneBatch
from luxel.experiments.rare_light import rare_light
from luxel.files.tensors import read_tensors, write_tensors
from luxel.image.losses import display_huber
from luxel.models.blender import Blender, BlenderConfig
from luxel.models.blending import combine, uncertain_fragments
from luxel.models.path_allocation import allocated_paths
from luxel.models.path_statistics import TINY
from luxel.models.ray_model import RayModel
from luxel.models.residual_bands import Residual, describe, filtered_residual, mean_around
from luxel.models.traced_paths import Paths, Shares, shares_of_pixels
from luxel.models.visible_surfaces import FragmentRadiance, Surfaces, visible_surfaces, with_radiance_of_sky
from luxel.progress import ProgressBar
from luxel.scene.composed import Composed
from luxel.scene.description import Scene
from luxel.scene.distributions import Mixed
from luxel.trace.path import PathTracer
from luxel.trained_models import SHIPPED

MODELS = ("ray-small", "ray-base", "ray-small")
"""Scene i is shown by number i modulo 3."""
SPP = (1, 4, 16, 64)
PATHS_SEED, TARGET_SEEDS = 1000, (5, 6)  # of n paths: 1000 + n
PIXELS_A_SCENE = 2400
"""Pixels of a scene that are learned from, for each number of paths."""
PIXELS_A_STEP = 1024  # the same
JUDGED_TOGETHER, GROUPS_A_STEP = 160, 8
"""Pixels of a group, over which the expected error is compared with the true one; and groups of a step."""
MIN_WIDTH = math.isqrt(JUDGED_TOGETHER - 1) + 1
"""Side of a square that has at least as many pixels as a group."""
SURPRISING = 5.0
"""An error that is more than so many times the expected one counts by its logarithm: see `bounded`."""
LEARNING_RATE, WEIGHT_DECAY, CLIP_NORM = 4e-3, 1e-4, 0.1
MAX_DIFFERENCE = 0.05
"""Of two targets, as `difference` has it: 27 of the 236 scenes' differ by more with 96 paths, 17 of rare light."""
VISIBLE = 0.01
"""Radiance, in addition to which differences are relative."""
FLOOR = 3e-5
"""Of the loss that a scene's is taken over: what the eye does not see."""


@dataclass(frozen=True)
class Options(Configuration):
    """How to train."""

    out: Path
    """Folder for the Blender's config.json and weights."""
    data: Path = Path("data/blending")
    scenes: Annotated[int, Field(ge=1, le=1 << 20)] = 236
    """Their generation takes seconds each, on a core."""
    width: Annotated[Pixels, Field(ge=MIN_WIDTH)] = 96
    target_spp: Annotated[int, Field(ge=1, le=1 << 24)] = 96
    """Of each of two targets."""
    noisy_target_spp: Annotated[int, Field(ge=1, le=1 << 24)] = 1024
    """The same, of scenes of which those targets differ by more than MAX_DIFFERENCE."""
    steps: Steps = 10_000
    """Of PIXELS_A_STEP pixels for each number of paths."""
    seed: Seed = 7
    """Of the scenes, and of the training."""
    blender: BlenderConfig = BlenderConfig()


class Examples(NamedTuple):
    """Pixels of many scenes with so many paths, and their fragments, which come one after another."""

    picture: Float[Tensor, "pixels 3"]
    weight: Float[Tensor, " pixels"]
    target: Float[Tensor, "pixels 2 3"]
    """Two, with noise of their own."""
    unknown: Float[Tensor, " pixels"]
    from_unknown: Float[Tensor, "pixels 3"]
    certainty: Float[Tensor, " pixels"]
    """Of Shares, as the two before it."""
    fragments: Int64[Tensor, " pixels"]
    """How many each pixel has."""
    coverage: Float[Tensor, " fragments"]
    radiance: Float[Tensor, "fragments 3"]
    paths: Float[Tensor, "fragments 3"]
    paths_met: Float[Tensor, " fragments"]
    residual: Residual

    @property
    def shares(self) -> Shares:
        """Of the fragments in their pixels."""
        pixel = torch.arange(len(self.fragments)).repeat_interleave(self.fragments)
        return Shares(pixel, self.coverage, self.unknown, self.from_unknown, self.certainty)

    def some(self, pixels: Tensor) -> "Examples":
        """These of the pixels."""
        fragments = self.fragments[pixels]
        first = (self.fragments.cumsum(0) - self.fragments)[pixels] - (fragments.cumsum(0) - fragments)
        rows = first.repeat_interleave(fragments) + torch.arange(int(fragments.sum()))
        of_pixels = (values[pixels] for values in self[:OF_PIXELS])
        of_fragments = (values[rows] for values in self[OF_PIXELS:-1])
        return Examples._make([*of_pixels, *of_fragments, self.residual.of(rows)])


OF_PIXELS = Examples._fields.index("coverage")
"""Fields of Examples that are pixels'; the others are fragments'."""


def scene_of(seed: int, index: int) -> Scene:
    """Scene number `index`."""
    return (Composed(), rare_light, Mixed(), Composed())[index % 4](seed, index)


def make(path: Path, scene: Scene, options: Options) -> None:
    """Write the file of a scene: the two targets."""
    batch = SceneBatch.of([scene])
    targets = traced_targets(batch, options.width, options.target_spp)
    if difference(*targets) > MAX_DIFFERENCE:
        targets = traced_targets(batch, options.width, options.noisy_target_spp)
    write_tensors(path, {f"truth{half}": target for half, target in enumerate(targets)})


def traced_targets(batch: SceneBatch, side: int, spp: int) -> list[Float[Tensor, "side side 3"]]:
    """Two pictures of a scene, with noise of their own."""
    return [torch.from_numpy(PathTracer().trace(batch, side, side, spp, seed).mean[0]) for seed in TARGET_SEEDS]


def difference(first: Float[Tensor, "side side 3"], second: Float[Tensor, "side side 3"]) -> float:
    """Of two pictures' radiance over a neighbourhood, relative to that; the mean over the picture."""
    a, b = (mean_around(picture.mean(2)[None]) for picture in (first, second))
    return float(((a - b).abs() / ((a + b) / 2 + VISIBLE)).mean())


def models_that_ship() -> list[RayModel]:
    """Those of MODELS."""
    shipped = {name: RayModel.from_pretrained(SHIPPED / name).eval() for name in set(MODELS)}
    return [shipped[name] for name in MODELS]


def traced(batch: SceneBatch, surfaces: Surfaces, picture: Float[Tensor, "1 height width 3"], spp: int) -> Paths:
    """So many paths a pixel, placed as that picture has it."""
    of_pixels = allocated_paths(picture, spp)
    found, of_fragments = PathTracer().sample_fragments(batch, surfaces.fragments, of_pixels, PATHS_SEED + spp)
    return Paths.of(found.mean, found.path_variance, of_pixels, of_fragments)


def examples(options: Options) -> list[Examples]:
    """The examples of each number of paths."""
    options.data.mkdir(parents=True, exist_ok=True)
    rng = torch.Generator().manual_seed(options.seed)
    found: list[list[Examples]] = [[] for _ in SPP]
    models = models_that_ship()
    for index in ProgressBar(range(options.scenes), desc="scenes", leave=False):
        path, scene = options.data / f"{index:05}.safetensors", scene_of(options.seed, index)
        if not path.exists():
            make(path, scene, options)
        tensors, _ = read_tensors(path, "delete it and repeat the command")
        target = torch.stack([tensors["truth0"], tensors["truth1"]], 2).flatten(0, 1)
        side, batch = options.width, SceneBatch.of([scene])
        surfaces = visible_surfaces(batch, side, side)
        with torch.no_grad():
            picture, of_objects = models[index % len(models)].pictures(batch, side, side, with_fragments=True)
        of_network = with_radiance_of_sky(batch, surfaces, of_objects)
        chosen = torch.randperm(side**2, generator=rng)[:PIXELS_A_SCENE]
        for of_spp, spp in zip(found, SPP, strict=True):
            paths = traced(batch, surfaces, picture, spp)
            of_spp.append(examples_of(batch, surfaces, picture.reshape(-1, 3), of_network, paths, target).some(chosen))
    return [joined(of_spp) for of_spp in found]


def examples_of(
    batch: SceneBatch,
    surfaces: Surfaces,
    picture: Float[Tensor, "pixels 3"],
    of_network: FragmentRadiance,
    paths: Paths,
    target: Float[Tensor, "pixels 2 3"],
) -> Examples:
    """All pixels of a scene."""
    is_uncertain, shares = uncertain_fragments(batch, surfaces, paths), shares_of_pixels(surfaces, paths)
    levels = filtered_residual(batch, surfaces, of_network, paths, is_uncertain)
    weight = 1 / (display_huber(picture, target.mean(1)).mean() + FLOOR)
    return Examples(
        picture,
        weight.expand(len(picture)),
        target,
        *shares[2:],
        surfaces.fragments.offsets.diff().long(),
        shares.coverage,
        of_network.radiance,
        paths.of_fragments.mean,
        paths.of_fragments.counts,
        describe(batch, surfaces.fragments.object_id, of_network.radiance, levels, paths.spp[surfaces.pixel]),
    )


def joined(parts: list[Examples]) -> Examples:
    """All of them as one."""
    columns = [torch.cat(column) for column in zip(*(part[:-1] for part in parts), strict=True)]
    residual = [torch.cat(column) for column in zip(*(part.residual for part in parts), strict=True)]
    return Examples._make([*columns, Residual(*residual)])


def train(options: Options) -> Blender:
    """The Blender, which learns to blend, and then how far its blends are off."""
    data = examples(options)
    rng = torch.Generator().manual_seed(options.seed)
    torch.manual_seed(options.seed)
    blender = Blender(options.blender).train()

    def loss_of(of_spp: Examples) -> Float[Tensor, ""]:
        some = of_spp.some(torch.randint(len(of_spp.picture), (PIXELS_A_STEP,), generator=rng))
        blended, _ = blended_examples(some, blender)
        return (display_huber(blended, some.target.mean(1)).mean(1) * some.weight).mean()

    descend(blender, lambda: [loss_of(of_spp) for of_spp in data], options.steps, "training")
    train_judge(blender, data, options)
    return blender.eval()


def descend(network: nn.Module, losses: Callable[[], list[Tensor]], steps: int, what: str) -> None:
    """Steps of AdamW on the sum of the losses, one for each of SPP, at a rate that rises and falls (one cycle)."""
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    bar = ProgressBar(range(steps), desc=what, leave=False)
    for _ in bar:
        optimizer.zero_grad()
        found = losses()
        sum(found[1:], found[0]).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
        optimizer.step()
        schedule.step()
        bar.set_postfix_str(" ".join(f"{spp}: {loss.item():.3f}" for spp, loss in zip(SPP, found, strict=True)))


def blended_examples(
    examples: Examples, blender: Blender
) -> tuple[Float[Tensor, "pixels 3"], Float[Tensor, " pixels"]]:
    """What `combine` makes of their fragments, and these of pixels."""
    of_fragments = combine(
        examples.radiance, examples.paths, examples.paths_met, examples.residual, blender(examples.residual)
    )
    return examples.shares.pixels(*of_fragments)


def train_judge(blender: Blender, data: list[Examples], options: Options) -> None:
    """Teach a Blender, whose blends are what they will be, how far those are off.

    The loss of a group of pixels of one scene, whose squared errors are E and expected ones ê, is that of a gamma
    distribution, Σ E / Σ ê + log Σ ê, which is least in the mean where ê is the mean of E, and knows no unit of light;
    but what is far more than expected does not count for all others. E is the product of the distances from two
    targets, whose noise it has not: it may be less than 0, and groups count less the larger that noise.
    """
    rng = torch.Generator().manual_seed(options.seed)
    groups = len(data[0].picture) // JUDGED_TOGETHER

    def loss_of(of_spp: Examples) -> Float[Tensor, ""]:
        starts = torch.randint(groups, (GROUPS_A_STEP,), generator=rng) * JUDGED_TOGETHER
        some = of_spp.some((starts[:, None] + torch.arange(JUDGED_TOGETHER)).flatten())
        with torch.no_grad():
            blended, error = blended_examples(some, blender)
        expected = blender.judged(some.picture, some.residual.of(some.shares.largest()), blended, error)
        squared = (blended[:, None] - some.target).prod(1).mean(1)
        noise = some.target.diff(dim=1).square().mean((1, 2)) / 4
        of_group, found, noise = (
            values.unflatten(0, (GROUPS_A_STEP, -1)).sum(1) + TINY for values in (expected, squared, noise)
        )
        weight = (of_group / (of_group + noise)).detach()
        return (weight * (bounded(found / of_group) + of_group.log())).mean()

    descend(blender.judge, lambda: [loss_of(of_spp) for of_spp in data], options.steps, "training the judge")


def bounded(ratio: Tensor) -> Tensor:
    """The ratio, beyond SURPRISING its logarithm, with no corner."""
    return torch.where(ratio < SURPRISING, ratio, SURPRISING * (1 + (ratio.clamp(min=SURPRISING) / SURPRISING).log()))


def main(options: Options) -> None:
    """Train and save."""
    train(options).save_pretrained(options.out)
    print(options.out, file=sys.stderr)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
