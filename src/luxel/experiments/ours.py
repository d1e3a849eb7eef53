"""Experiments of our own."""

from dataclasses import replace

from luxel.experiments.base import base
from luxel.experiments.experiment import Experiment, Scale, experiment
from luxel.experiments.log_2020_05_31 import with_image_to_seq
from luxel.scene.distributions import Spheres

GROUP = "luxel"


@experiment(GROUP)
def demo(scale: Scale) -> Experiment:
    """What `make demo` trains: the best of the log's parts on up to four spheres under a white sky, without lamps.

    In the five minutes that two cores get, a network learns what its loss is made of. With lamps, up to a hundred
    times as bright as all else, that is the lamps: trained on them with a squared log1p loss, it drew them well and
    nothing else, 24.6 dB where a plain grey image has 23.1.
    """
    run = base(scale)
    model = replace(with_image_to_seq(run.model), start=replace(run.model.start, kind="queries"))
    if scale != "small":
        return replace(run, model=model)
    return replace(
        run,
        model=model,
        data=replace(run.data, distribution=Spheres(max_objects=4, background="white", lights=0.0), count=4096),
        train=replace(
            run.train,
            samples=28_800,
            batch_size=16,
            optim=replace(run.train.optim, lr_multiplier=2.0),
            tests=10,
            checkpoint_every=50,
        ),
    )
