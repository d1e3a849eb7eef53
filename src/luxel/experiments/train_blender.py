"""Training the Blender that comes with the ray models: scenes, their pictures, paths, and more paths as targets.

    python -m luxel.experiments.train_blender --out src/luxel/pretrained/ray-small/blender

Scenes of `composed`, every fourth of `mixed`, and every fourth with light that paths find by chance
(`luxel.experiments.rare_light`), of a seed that no ray model has seen, are rendered by the ray models that ship and
traced once for each number of paths, with noise of its own, and twice more for the target; each file is kept in the
folder --data, and a repeated command makes what is missing. The network reads single pixels, so that a few hundred
scenes are millions of examples. The loss of every scene is taken over that of the network's picture: what is gained is
to be gained everywhere, not on the few scenes of the largest errors.
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
import tyro
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

import luxel
from luxel.configuration import Configuration, Pixels, Seed, Steps
from luxel.core.scene_batch import SceneBatch
from luxel.experiments.rare_light import rare_light
from luxel.files.tensors import read_tensors, write_tensors
from luxel.image.losses import display_huber
from luxel.models.blending import TINY, Blender, BlenderConfig, Paths, Residual, combine, describe, filtered_residual
from luxel.models.kinds import load_model
from luxel.progress import ProgressBar
from luxel.scene.composed import Composed
from luxel.scene.description import Scene
from luxel.scene.distributions import Mixed
from luxel.trace.path import PathTracer

MODELS = ("ray-small", "ray-base", "ray-small")
"""Scene i is shown by number i modulo 3."""
SPP = (1, 4, 16, 64)
PATHS_SEED, TARGET_SEEDS = 1000, (5, 6)  # of n paths: 1000 + n
PIXELS_A_SCENE = 2400
"""That are learned from, of each number of paths."""
PIXELS_A_STEP = 1024  # the same
JUDGED_TOGETHER, GROUPS_A_STEP = 160, 8
"""Pixels of a scene whose expected error is compared with what it is, and how many of them."""
LEAST_WIDTH = math.isqrt(JUDGED_TOGETHER - 1) + 1
"""Of a square that has as many pixels."""
SURPRISING = 5.0
"""Times what was expected: see `bounded`."""
LEARNING_RATE, WEIGHT_DECAY, CLIP_NORM = 4e-3, 1e-4, 0.1
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
    width: Annotated[Pixels, Field(ge=LEAST_WIDTH)] = 96
    target_spp: Annotated[int, Field(ge=1, le=1 << 24)] = 96
    """Of each of two targets."""
    steps: Steps = 6000
    """Of PIXELS_A_STEP pixels for each number of paths."""
    seed: Seed = 7
    """Of the scenes, and of the training."""
    blender: BlenderConfig = BlenderConfig()


class Examples(NamedTuple):
    """Pixels of many scenes with so many paths."""

    picture: Float[Tensor, "pixels 3"]
    mean: Float[Tensor, "pixels 3"]
    residual: Residual
    weight: Float[Tensor, " pixels"]
    halves: Float[Tensor, "halves pixels 3"]
    """Two targets, with noise of their own."""

    @property
    def target(self) -> Float[Tensor, "pixels 3"]:
        """The mean of both."""
        return self.halves.mean(0)

    def some(self, pixels: Tensor) -> "Examples":
        """These of the pixels."""
        residual = Residual(*(values[pixels] for values in self.residual))
        return Examples(self.picture[pixels], self.mean[pixels], residual, self.weight[pixels], self.halves[:, pixels])


def scene_of(seed: int, index: int) -> Scene:
    """Scene number `index`."""
    return (Composed(), rare_light, Mixed(), Composed())[index % 4](seed, index)


def make(path: Path, scene: Scene, options: Options) -> None:
    """Write the file of a scene: pictures of the models, paths, and the target."""
    batch, side, tracer = SceneBatch.of([scene]), options.width, PathTracer()
    tensors: dict[str, Tensor] = {}
    for name in set(MODELS):
        model = load_model(Path(luxel.__file__).parent / "pretrained" / name)
        with torch.no_grad():
            tensors[name] = model(batch, width=side, height=side)[0]
    for spp in SPP:
        found = tracer.sample(batch, side, side, spp, PATHS_SEED + spp)
        tensors[f"mean{spp}"] = found.mean.unflatten(0, (side, side))
        tensors[f"var{spp}"] = found.path_variance.unflatten(0, (side, side))
    for half, seed in enumerate(TARGET_SEEDS):
        target = tracer.trace(batch, side, side, options.target_spp, seed)
        tensors[f"truth{half}"] = torch.from_numpy(target.mean[0])
    write_tensors(path, tensors)


def examples(options: Options) -> list[Examples]:
    """The examples of each number of paths."""
    options.data.mkdir(parents=True, exist_ok=True)
    rng = torch.Generator().manual_seed(options.seed)
    found: list[list[Examples]] = [[] for _ in SPP]
    for index in ProgressBar(range(options.scenes), desc="scenes", leave=False):
        path, scene = options.data / f"{index:05}.safetensors", scene_of(options.seed, index)
        if not path.exists():
            make(path, scene, options)
        tensors, _ = read_tensors(path, "delete it and repeat the command")
        picture, halves = tensors[MODELS[index % len(MODELS)]], torch.stack([tensors["truth0"], tensors["truth1"]])
        flat, batch, halves = picture.flatten(0, 1), SceneBatch.of([scene]), halves.flatten(1, 2)
        weight = 1 / (display_huber(flat, halves.mean(0)).mean() + FLOOR)
        for of_spp, spp in zip(found, SPP, strict=True):
            paths = Paths(tensors[f"mean{spp}"].flatten(0, 1), tensors[f"var{spp}"].flatten() / spp, spp)
            residual = describe(batch, flat, paths, filtered_residual(batch, picture[None], paths))
            whole = Examples(flat, paths.mean, residual, weight.expand(len(flat)), halves)
            of_spp.append(whole.some(torch.randperm(len(flat), generator=rng)[:PIXELS_A_SCENE]))
    return [joined(of_spp) for of_spp in found]


def joined(parts: list[Examples]) -> Examples:
    """All of them as one."""
    columns = zip(*((*part[:2], *part.residual, part.weight) for part in parts), strict=True)
    picture, mean, *residual, weight = (torch.cat(column) for column in columns)
    return Examples(picture, mean, Residual(*residual), weight, torch.cat([part.halves for part in parts], 1))


def train(options: Options) -> Blender:
    """The Blender after so many steps of AdamW at a rate that rises and falls (one cycle)."""
    data = examples(options)
    rng = torch.Generator().manual_seed(options.seed)
    torch.manual_seed(options.seed)
    blender = Blender(options.blender).train()
    optimizer = torch.optim.AdamW(blender.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=options.steps)
    bar = ProgressBar(range(options.steps), desc="training", leave=False)
    for _ in bar:
        optimizer.zero_grad()
        losses = []
        for of_spp, spp in zip(data, SPP, strict=True):
            some = of_spp.some(torch.randint(len(of_spp.picture), (PIXELS_A_STEP,), generator=rng))
            blended, _ = blended_examples(some, spp, blender)
            losses.append((display_huber(blended, some.target).mean(1) * some.weight).mean())
        sum(losses[1:], losses[0]).backward()
        torch.nn.utils.clip_grad_norm_(blender.parameters(), CLIP_NORM)
        optimizer.step()
        schedule.step()
        bar.set_postfix_str(" ".join(f"{spp}: {loss.item():.3f}" for spp, loss in zip(SPP, losses, strict=True)))
    train_judge(blender, data, options)
    return blender.eval()


def blended_examples(
    of_spp: Examples, spp: int, blender: Blender
) -> tuple[Float[Tensor, "pixels 3"], Float[Tensor, " pixels"]]:
    """What `combine` makes of them."""
    paths = Paths(of_spp.mean, of_spp.residual.paths_variance, spp)
    return combine(of_spp.picture, paths, of_spp.residual, blender(of_spp.residual))


def train_judge(blender: Blender, data: list[Examples], options: Options) -> None:
    """Teach a Blender, whose blends are what they will be, how far those are off.

    The loss of a group of pixels of one scene, whose squared errors are E and expected ones ê, is that of a gamma
    distribution, Σ E / Σ ê + log Σ ê, which is least in the mean where ê is the mean of E, and knows no unit of light;
    but what is far more than expected does not count for all others. E is the product of the distances from two
    targets, whose noise it has not: it may be less than 0, and groups count less the larger that noise.
    """
    rng = torch.Generator().manual_seed(options.seed)
    optimizer = torch.optim.AdamW(blender.judge.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=options.steps)
    bar = ProgressBar(range(options.steps), desc="training the judge", leave=False)
    groups = len(data[0].picture) // JUDGED_TOGETHER
    for _ in bar:
        optimizer.zero_grad()
        losses = []
        for of_spp, spp in zip(data, SPP, strict=True):
            starts = torch.randint(groups, (GROUPS_A_STEP,), generator=rng) * JUDGED_TOGETHER
            some = of_spp.some((starts[:, None] + torch.arange(JUDGED_TOGETHER)).flatten())
            with torch.no_grad():
                blended, error = blended_examples(some, spp, blender)
            expected = blender.judged(some.picture, some.residual, blended, error)
            squared = ((blended - some.halves[0]) * (blended - some.halves[1])).mean(1)
            noise = (some.halves[0] - some.halves[1]).square().mean(1) / 4
            of_group, found, noise = (
                values.unflatten(0, (GROUPS_A_STEP, -1)).sum(1) + TINY for values in (expected, squared, noise)
            )
            weight = (of_group / (of_group + noise)).detach()
            losses.append((weight * (bounded(found / of_group) + of_group.log())).mean())
        sum(losses[1:], losses[0]).backward()
        torch.nn.utils.clip_grad_norm_(blender.judge.parameters(), CLIP_NORM)
        optimizer.step()
        schedule.step()
        bar.set_postfix_str(" ".join(f"{spp}: {loss.item():.3f}" for spp, loss in zip(SPP, losses, strict=True)))


def bounded(ratio: Tensor) -> Tensor:
    """The ratio, beyond SURPRISING its logarithm, with no corner."""
    return torch.where(ratio < SURPRISING, ratio, SURPRISING * (1 + (ratio.clamp(min=SURPRISING) / SURPRISING).log()))


def main(options: Options) -> None:
    """Train and save."""
    train(options).save_pretrained(options.out)
    print(options.out, file=sys.stderr)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
