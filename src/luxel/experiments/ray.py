"""The ray model in its sizes, and what each of its ideas is worth.

It learns from small pictures of fresh scenes: neighbouring points share what they gather, as in the pictures that it
makes, of any size.
"""

from dataclasses import replace

from luxel.data.generate_settings import GenerateSettings
from luxel.data.stream import StreamSettings
from luxel.experiments.experiment import Experiment, Scale, experiment, variant, with_data, with_model
from luxel.models.gather_points import PATTERNS_OF_TILE
from luxel.models.ray_model import RayModelConfig
from luxel.scene.distributions import Mixed, Varied
from luxel.train.optim import OptimConfig, Schedule
from luxel.train.train_config import TrainConfig

GROUP, DATE = "ray", "2026-11-26"
OPTIM = OptimConfig(
    algorithm="adamw",
    learning_rate=2e-3,
    batch_scaling="none",
    weight_decay=1e-4,
    clip_norm=0.1,
    schedule=Schedule("stable_decay", warmup=0.02, decay=0.5),
)


@experiment(GROUP, DATE)
def ray_small(scale: Scale) -> Experiment:
    """What points see is computed, what to make of it is learned; the size that comes trained with Luxel.

    tiny: seconds. small: 4 000 pictures of 64², minutes on two cores. long: five times as many. medium: 40 000 of 64²,
    tested on small's scenes. full: 160 000 of 96², minutes on a GPU.
    """
    train = TrainConfig(samples=40_000, batch_size=16, tests=10, loss="display_huber", optim=OPTIM)
    if scale == "tiny":
        return Experiment(
            model=RayModelConfig(width=16),
            data=GenerateSettings(Varied(max_objects=6), count=192, width=16, height=16, spp=64, test_share=0.25),
            stream=StreamSettings(spp=16),
            train=replace(train, samples=768, tests=4),
        )
    data = GenerateSettings(Mixed(), count=640, width=64, height=64, spp=1024, test_share=0.1)
    if scale == "full":
        data, train = replace(data, width=96, height=96, spp=256), replace(train, samples=160_000)
    elif scale != "medium":
        train = replace(train, samples=4_000 if scale == "small" else 20_000, batch_size=8, tests=5)
    return Experiment(
        model=RayModelConfig(width=data.width),
        data=data,
        stream=StreamSettings(spp=32 if scale in ("medium", "full") else 16),
        train=train,
    )


@variant(ray_small, GROUP, DATE)
def ray_tiny(run: Experiment) -> Experiment:
    """A quarter of the network: how little is enough?"""
    return with_model(run, hidden=12)


@variant(ray_small, GROUP, DATE)
def ray_base(run: Experiment) -> Experiment:
    """Thirteen times the network, and two to four times the rays: the best picture."""
    return with_model(run, hidden=128, layers=3, light_rays=32, diffuse_rays=32, glossy_rays=16)


@variant(ray_small, GROUP, DATE)
def ray_no_sampled_visibility(run: Experiment) -> Experiment:
    """Lights and sky as if nothing were in between: shadows and all that surfaces send each other are guessed."""
    return with_model(run, occlusion=False)


@variant(ray_small, GROUP, DATE)
def ray_no_filter(run: Experiment) -> Experiment:
    """Every point alone with its few rays."""
    return with_model(run, filtering=False)


@variant(ray_small, GROUP, DATE)
def ray_no_chains(run: Experiment) -> Experiment:
    """What mirrors and clear glass show has to be guessed."""
    return with_model(run, chains=False)


@variant(ray_small, GROUP, DATE)
def ray_one_bounce(run: Experiment) -> Experiment:
    """Gather paths end at the first surface that scatters."""
    return with_model(run, bounces=1)


@variant(ray_small, GROUP, DATE)
def ray_one_sample(run: Experiment) -> Experiment:
    """One ray a pixel, at outlines too: what antialiasing is worth."""
    return with_model(run, pixel_rays=1)


@variant(ray_small, GROUP, DATE)
def ray_varied(run: Experiment) -> Experiment:
    """Learning from floating objects alone: what scenes as people compose them are worth."""
    return with_data(run, distribution=Varied())


@variant(ray_small, GROUP, DATE)
def ray_single_rays(run: Experiment) -> Experiment:
    """Learning from single rays aimed at objects, each of which gathers for a tile: one for 16 pixels of its base."""
    assert run.stream is not None
    rays = run.data.width * run.data.height // PATTERNS_OF_TILE
    return replace(run, stream=replace(run.stream, rays=rays, aim="objects"))
