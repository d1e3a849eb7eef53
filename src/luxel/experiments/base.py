"""The base that every run of the lab log changes, at the three scales that a machine may allow."""

from dataclasses import replace

from luxel.data.generate import GenerateSettings
from luxel.experiments.experiment import Experiment, Scale
from luxel.models.attention import AttentionConfig
from luxel.models.exchange import SeqToImageConfig, StartConfig
from luxel.models.generator import GeneratorConfig
from luxel.models.image_model import ImageModelConfig, scaled
from luxel.models.sequence import TransformerConfig
from luxel.scene.distributions import Spheres
from luxel.train.loop import TrainConfig


def base(scale: Scale) -> Experiment:
    """The log's network of 2020-05-31: base transformer, start, generator, concatenated seq→image.

    tiny: 16², a few hundred images, seconds. small: 32², for CPUs. full: the log's 128² and 100 epochs.
    """
    if scale == "tiny":
        return Experiment(
            model=tiny_model(),
            data=GenerateSettings(Spheres(max_objects=4), count=192, width=16, height=16, spp=16, test_share=0.25),
            train=TrainConfig(samples=768, batch_size=16, tests=4),
        )
    if scale == "small":
        return Experiment(
            model=ImageModelConfig(),
            data=GenerateSettings(Spheres(max_objects=8), count=8192, width=32, height=32, spp=128),
            train=TrainConfig(samples=40_960),
        )
    return Experiment(
        model=replace(scaled(ImageModelConfig(), width=4.0, sequence=4.0), width=128),
        data=GenerateSettings(Spheres(), count=20_000, width=128, height=128, spp=128),
        train=TrainConfig(samples=100 * 18_000, tests=100),
    )


def tiny_model() -> ImageModelConfig:
    """A network of every part, small enough to train in seconds."""
    attention = AttentionConfig(heads=2)
    return ImageModelConfig(
        width=16,
        seq_width=32,
        base_transformer=TransformerConfig(layers=2, attention=attention),
        start=StartConfig(attention=attention),
        generator=GeneratorConfig(start_channels=16, max_channels=32, min_channels=8, repeats=1),
        seq_to_image=SeqToImageConfig(channels=8, attention=attention),
    )
