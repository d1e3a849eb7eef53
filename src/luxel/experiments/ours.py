"""Experiments of our own."""

from luxel.experiments.experiment import (
    Experiment,
    variant,
    with_data,
    with_model,
    with_part,
    with_schedule,
    with_size,
    with_train,
)
from luxel.experiments.log_2020_05_31 import standard_run
from luxel.experiments.log_2020_06_01 import no_base_transformer
from luxel.experiments.to_try import queries_start
from luxel.scene.distributions import Spheres

GROUP, DATE = "luxel", "2026-11-24"


@variant(queries_start, GROUP, DATE)
def demo(run: Experiment) -> Experiment:
    """What `make demo` trains: the best of the log's parts on up to four spheres under a white sky, without lamps.

    In the five minutes that two cores get, a network learns what its loss is made of. With lamps, up to a hundred
    times as bright as all else, that is the lamps: trained on them with a squared log1p loss, it drew them well and
    nothing else, 24.6 dB where a plain grey image has 23.1. Nor is there time to learn where objects are: told by
    exact first hits, it ends with 38.6 dB on its test set, where it had 31.3.
    """
    model = with_part(with_model(run, first_hit_maps=True), "base_transformer", layers=2, shared=False)
    scenes = with_data(model, distribution=Spheres(4, "white", lights=0.0))
    if run.model.width != 32:
        return scenes
    data = with_data(scenes, count=4096, test_share=0.1)
    short = with_train(data, samples=28_800, checkpoint_every=50)
    return with_size(with_schedule(short, warmup=0.05, start=0.0), width=2.0, sequence=2.0)


@variant(standard_run, GROUP, "2026-11-28")
def exact_first_hits(run: Experiment) -> Experiment:
    """What every pixel shows first is given to the standard network, exact, instead of to be learned."""
    return with_model(run, first_hit_maps=True)


@variant(no_base_transformer, GROUP, DATE)
def log_64(run: Experiment) -> Experiment:
    """What `log-64` is to be, not shipped yet: at scale medium, the network that docs/findings.md finds best.

    It is told what every pixel shows first, see `exact_first_hits`. In bfloat16 and the log's batches of 16: at half
    of scale small the test loss was 0.0100 with these, and 0.0137 at best with as many images in batches of 64, which
    a GPU takes less than three times as fast; both without first hits.
    """
    precise = with_train(with_model(run, first_hit_maps=True), precision="bf16")
    if run.model.width != 64:
        return precise
    return with_train(precise, samples=256_000, tests=8, checkpoint_every=2000)
