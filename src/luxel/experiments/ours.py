"""Experiments of our own."""

from dataclasses import replace

from luxel.experiments.experiment import (
    Experiment,
    variant,
    with_data,
    with_model,
    with_schedule,
    with_train,
)
from luxel.experiments.log_2020_06_01 import no_base_transformer
from luxel.experiments.to_try import queries_start
from luxel.models.image_model import scaled
from luxel.scene.distributions import Spheres

GROUP, DATE = "luxel", "2026-11-24"


@variant(queries_start, GROUP, DATE)
def demo(run: Experiment) -> Experiment:
    """What `make demo` trains: the best of the log's parts on up to four spheres under a white sky, without lamps.

    In the five minutes that two cores get, a network learns what its loss is made of. With lamps, up to a hundred
    times as bright as all else, that is the lamps: trained on them with a squared log1p loss, it drew them well and
    nothing else, 24.6 dB where a plain grey image has 23.1.
    """
    layers = replace(run.image_model.base_transformer, layers=2, shared=False)
    scenes = with_data(with_model(run, base_transformer=layers), distribution=Spheres(4, "white", lights=0.0))
    if run.model.width != 32:
        return scenes
    data = with_data(scenes, count=4096, test_share=0.1)
    short = with_train(data, samples=28_800, checkpoint_every=50)
    return replace(
        with_schedule(short, warmup=0.05, start=0.0), model=scaled(short.image_model, width=2.0, sequence=2.0)
    )


@variant(no_base_transformer, GROUP, DATE)
def log_64(run: Experiment) -> Experiment:
    """What Luxel's `log-64` is, at scale medium: the network that docs/findings.md finds best, trained for minutes.

    In bfloat16, on more scenes, in batches of four times the log's at four times the rate: at a fifth of scale small,
    where the two were tried, the test loss was 0.0137 with that and 0.0167 with twice the rate.
    """
    large = with_train(run, batch_size=64, precision="bf16")
    if run.model.width != 64:
        return large
    return with_train(with_data(large, count=32_000, test_share=0.03), samples=450_000, tests=10, checkpoint_every=500)
