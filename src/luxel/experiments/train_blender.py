"""Training the Blender that comes with the ray models: scenes, their pictures, paths, and more paths as targets.

    python -m luxel.experiments.train_blender --out src/luxel/pretrained/ray-small/blender

Scenes of `composed`, every third of `mixed`, of a seed that no ray model has seen, are rendered by the ray models that
ship and traced once for each number of paths, with noise of its own, and once more for the target; each file is kept in
the folder --data, and a repeated command makes what is missing. The network reads single pixels, so that a few hundred
scenes are millions of examples. The loss of every scene is taken over that of the network's picture: what is gained is
to be gained everywhere, not on the few scenes of the largest errors.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
import tyro
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

import luxel
from luxel.configuration import Configuration, Pixels, Seed, Steps
from luxel.core.scene_batch import SceneBatch
from luxel.files.tensors import read_tensors, write_tensors
from luxel.image.losses import display_huber
from luxel.models.blending import Blender, BlenderConfig, Paths, Residual, combine, describe, filtered_residual
from luxel.models.kinds import load_model
from luxel.scene.composed import Composed
from luxel.scene.description import Scene
from luxel.scene.distributions import Mixed
from luxel.trace.path import PathTracer

MODELS = ("ray-small", "ray-base", "ray-small")
"""Scene i is shown by number i modulo 3."""
SPP = (1, 4, 16, 64)
PATHS_SEED, TARGET_SEED = 1000, 5  # of n paths: 1000 + n
PIXELS_A_SCENE = 2400
"""That are learned from, of each number of paths."""
PIXELS_A_STEP = 1024  # the same
LEARNING_RATE, WEIGHT_DECAY, CLIP_NORM = 4e-3, 1e-4, 0.1
FLOOR = 3e-5
"""Of the loss that a scene's is taken over: what the eye does not see."""


@dataclass(frozen=True)
class Options(Configuration):
    """How to train."""

    out: Path
    """Folder for the Blender's config.json and weights."""
    data: Path = Path("data/blending")
    scenes: Annotated[int, Field(ge=1, le=1 << 20)] = 280
    """Their generation takes seconds each, on two cores."""
    width: Pixels = 96
    target_spp: Annotated[int, Field(ge=1, le=1 << 24)] = 96
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
    target: Float[Tensor, "pixels 3"]


def scene_of(seed: int, index: int) -> Scene:
    """Scene number `index`."""
    return (Mixed() if index % 3 == 2 else Composed())(seed, index)


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
    target = tracer.trace(batch, side, side, options.target_spp, TARGET_SEED)
    write_tensors(path, {**tensors, "truth": torch.from_numpy(target.mean[0])})


def examples(options: Options) -> list[Examples]:
    """The examples of each number of paths."""
    options.data.mkdir(parents=True, exist_ok=True)
    rng = torch.Generator().manual_seed(options.seed)
    found: list[list[Examples]] = [[] for _ in SPP]
    for index in tqdm(range(options.scenes), desc="scenes", leave=False):
        path, scene = options.data / f"{index:05}.safetensors", scene_of(options.seed, index)
        if not path.exists():
            make(path, scene, options)
        tensors, _ = read_tensors(path, "delete it and repeat the command")
        picture, target = tensors[MODELS[index % len(MODELS)]], tensors["truth"].flatten(0, 1)
        flat, batch = picture.flatten(0, 1), SceneBatch.of([scene])
        weight = 1 / (display_huber(flat, target).mean() + FLOOR)
        for of_spp, spp in zip(found, SPP, strict=True):
            paths = Paths(tensors[f"mean{spp}"].flatten(0, 1), tensors[f"var{spp}"].flatten() / spp, spp)
            residual = describe(batch, flat, paths, filtered_residual(batch, picture[None], paths))
            some = torch.randperm(len(flat), generator=rng)[:PIXELS_A_SCENE]
            chosen = Residual(*(values[some] for values in residual))
            of_spp.append(Examples(flat[some], paths.mean[some], chosen, weight.expand(len(some)), target[some]))
    return [joined(of_spp) for of_spp in found]


def joined(parts: list[Examples]) -> Examples:
    """All of them as one."""
    columns = zip(*((*part[:2], *part.residual, *part[3:]) for part in parts), strict=True)
    picture, mean, *residual, weight, target = (torch.cat(column) for column in columns)
    return Examples(picture, mean, Residual(*residual), weight, target)


def train(options: Options) -> Blender:
    """The Blender after so many steps of AdamW at a rate that rises and falls (one cycle)."""
    data = examples(options)
    rng = torch.Generator().manual_seed(options.seed)
    torch.manual_seed(options.seed)
    blender = Blender(options.blender).train()
    optimizer = torch.optim.AdamW(blender.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=options.steps)
    bar = tqdm(range(options.steps), desc="training", leave=False)
    for _ in bar:
        optimizer.zero_grad()
        losses = []
        for of_spp, spp in zip(data, SPP, strict=True):
            some = torch.randint(len(of_spp.target), (PIXELS_A_STEP,), generator=rng)
            residual = Residual(*(values[some] for values in of_spp.residual))
            paths = Paths(of_spp.mean[some], residual.paths_variance, spp)
            blended, _ = combine(of_spp.picture[some], paths, residual, blender(residual))
            losses.append((display_huber(blended, of_spp.target[some]).mean(1) * of_spp.weight[some]).mean())
        sum(losses[1:], losses[0]).backward()
        torch.nn.utils.clip_grad_norm_(blender.parameters(), CLIP_NORM)
        optimizer.step()
        schedule.step()
        bar.set_postfix_str(" ".join(f"{spp}: {loss.item():.3f}" for spp, loss in zip(SPP, losses, strict=True)))
    return blender.eval()


def main(options: Options) -> None:
    """Train and save."""
    train(options).save_pretrained(options.out)
    print(options.out, file=sys.stderr)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
