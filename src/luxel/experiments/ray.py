"""The ray model in three sizes, and what each of its ideas is worth.

It learns from single rays of fresh scenes, aimed at objects, since what rays meet is computed and the sky is known.
"""

from dataclasses import replace

from luxel.data.generate import GenerateSettings
from luxel.data.stream import StreamSettings
from luxel.experiments.experiment import Experiment, Scale, experiment, variant, with_model, with_train
from luxel.models.ray_model import RayModelConfig
from luxel.models.sequence import TransformerConfig
from luxel.scene.distributions import Varied
from luxel.train.loop import TrainConfig
from luxel.train.optim import OptimConfig, Schedule

GROUP, DATE = "ray", "2026-11-25"
OPTIM = OptimConfig(
    algorithm="adamw",
    learning_rate=3e-3,
    batch_scaling="none",
    weight_decay=1e-4,
    clip_norm=0.1,
    schedule=Schedule("stable_decay", warmup=0.02, decay=0.5),
)


@experiment(GROUP, DATE)
def ray_small(scale: Scale) -> Experiment:
    """Visibility is computed, light is learned; the size that comes trained with Luxel.

    tiny: seconds. small: a million rays, minutes on two cores. full: 30 million, hours there.
    """
    if scale == "tiny":
        return Experiment(
            model=RayModelConfig(width=16),
            data=GenerateSettings(Varied(max_objects=6), count=192, width=16, height=16, spp=64, test_share=0.25),
            stream=StreamSettings(spp=4, rays=16, aim="objects"),
            train=TrainConfig(samples=768, batch_size=16, tests=4, loss="sqrt_l2", optim=OPTIM),
        )
    stream = StreamSettings(spp=16, rays=64, aim="objects")
    if scale == "small":
        return Experiment(
            model=RayModelConfig(width=32),
            data=GenerateSettings(Varied(), count=2048, width=32, height=32, spp=512, test_share=0.1),
            stream=stream,
            train=TrainConfig(samples=16_000, batch_size=32, tests=10, loss="sqrt_l2", optim=OPTIM),
        )
    return Experiment(
        model=RayModelConfig(width=64),
        data=GenerateSettings(Varied(), count=640, width=64, height=64, spp=256, test_share=0.1),
        stream=stream,
        train=TrainConfig(samples=480_000, batch_size=32, tests=60, loss="sqrt_l2", optim=OPTIM),
    )


@variant(ray_small, GROUP, DATE)
def ray_tiny(run: Experiment) -> Experiment:
    """A sixth of the network: how little is enough?"""
    return with_model(run, point_width=32, layers=1, emitter_width=16)


@variant(ray_small, GROUP, DATE)
def ray_base(run: Experiment) -> Experiment:
    """Five times the network, and rays followed one bounce further: for a GPU."""
    return with_model(run, point_width=128, layers=3, emitter_width=64, bounces=2)


@variant(ray_small, GROUP, DATE)
def ray_no_secondary_rays(run: Experiment) -> Experiment:
    """What mirrors and glass show has to be guessed from where the objects are."""
    return with_model(run, bounces=0)


@variant(ray_small, GROUP, DATE)
def ray_two_bounces(run: Experiment) -> Experiment:
    """Mirrors and glass show mirrors and glass that show something."""
    return with_model(run, bounces=2)


@variant(ray_small, GROUP, DATE)
def ray_no_estimates(run: Experiment) -> Experiment:
    """No closed forms to correct and no colour factored out: the network says the whole transfer."""
    return with_model(run, estimates=False)


@variant(ray_small, GROUP, DATE)
def ray_scene_transformer(run: Experiment) -> Experiment:
    """Objects first tell each other where and what they are, in the 2020 network's sequence transformer."""
    return with_model(run, scene_transformer=TransformerConfig(layers=2))


@variant(ray_small, GROUP, DATE)
def ray_one_sample(run: Experiment) -> Experiment:
    """One ray a pixel, at outlines too: what antialiasing is worth. It learns as its base does."""
    return with_model(run, grid=1)


@variant(ray_small, GROUP, DATE)
def ray_whole_images(run: Experiment) -> Experiment:
    """Learning from whole images, sky and outlines included: as many pixels as its base has rays."""
    assert run.stream is not None
    scenes = run.train.samples * run.stream.rays // (run.data.width * run.data.height)
    whole = replace(run, stream=replace(run.stream, rays=0, aim="picture"))
    return with_train(whole, samples=max(run.train.batch_size, scenes))
