"""The network and training that every run of the lab log changes, at the scales that a machine may allow."""

from dataclasses import replace

from luxel.data.generate_settings import GenerateSettings
from luxel.experiments.experiment import Experiment, Scale
from luxel.models.attention import AttentionConfig
from luxel.models.cross_attention import SeqToImageConfig, StartConfig
from luxel.models.generator import GeneratorConfig
from luxel.models.image_model import ImageModelConfig, scaled
from luxel.models.sequence import TransformerConfig
from luxel.scene.distributions import Spheres
from luxel.train.optim import OptimConfig, Schedule
from luxel.train.train_config import TrainConfig

SHARED_LAYERS = 4
"""Passes of the log's base transformer through its one set of parameters; the log does not say how many."""
OPTIM = OptimConfig(schedule=Schedule("cosine", warmup=0.1, start=0.25))
"""The log's "better system for lr": from a quarter up to the peak in a tenth of training, then half a cosine to 0
(rgreenblatt/neural-render src/torch_utils.py, LRSched)."""


def base(scale: Scale) -> Experiment:
    """The log's network: a base transformer of shared parameters, start, generator, concatenated seq→image.

    tiny: 16², a few hundred images, seconds. small: 32², up to four objects, an eighth of full's widths, for CPUs,
    minutes. long: small's network and scenes, five times the images. medium: 64², full's scenes, half its widths,
    17 epochs, for a GPU. full: the log's 128² and 100 epochs. The batch is 16 at every scale, the one that the log's
    code has its learning rate for (`luxel.train.optim.REFERENCE_BATCH`), so that no rate is scaled by it.
    """
    if scale == "tiny":
        return Experiment(
            model=tiny_model(),
            data=GenerateSettings(Spheres(max_objects=4), count=192, width=16, height=16, spp=16, test_share=0.25),
            train=TrainConfig(samples=768, batch_size=16, tests=4, optim=OPTIM),
        )
    shared = replace(ImageModelConfig().base_transformer, layers=SHARED_LAYERS, shared=True)
    network = replace(ImageModelConfig(), base_transformer=shared)
    if scale in ("small", "long"):
        return Experiment(
            model=scaled(network, width=0.5, sequence=0.5),
            data=GenerateSettings(Spheres(max_objects=4), count=8192, width=32, height=32, spp=128, test_share=0.05),
            train=TrainConfig(samples=20_480 if scale == "small" else 102_400, batch_size=16, tests=10, optim=OPTIM),
        )
    if scale == "medium":
        return Experiment(
            model=replace(scaled(network, width=2.0, sequence=2.0), width=64),
            data=GenerateSettings(Spheres(), count=20_000, width=64, height=64, spp=128),
            train=TrainConfig(samples=300_000, batch_size=16, tests=30, optim=OPTIM),
        )
    return Experiment(
        model=replace(scaled(network, width=4.0, sequence=4.0), width=128),
        data=GenerateSettings(Spheres(), count=20_000, width=128, height=128, spp=128),
        train=TrainConfig(samples=100 * 18_000, batch_size=16, tests=100, optim=OPTIM),
    )


def tiny_model() -> ImageModelConfig:
    """A network of every part, small enough to train in seconds."""
    attention = AttentionConfig(heads=2)
    return ImageModelConfig(
        width=16,
        seq_width=32,
        base_transformer=TransformerConfig(layers=SHARED_LAYERS, shared=True, attention=attention),
        start=StartConfig(attention=attention),
        generator=GeneratorConfig(start_channels=16, max_channels=32, min_channels=8),
        seq_to_image=SeqToImageConfig(channels=8, attention=attention),
    )
