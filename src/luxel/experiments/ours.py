"""Experiments of our own."""

from dataclasses import replace

from luxel.experiments.base import base
from luxel.experiments.experiment import Experiment, Scale, experiment
from luxel.experiments.log_2020_05_31 import with_image_to_seq
from luxel.scene.distributions import Spheres

GROUP = "luxel"


@experiment(GROUP)
def demo(scale: Scale) -> Experiment:
    """What `make demo` trains: the best of the log's parts on up to four spheres, in minutes on two CPU cores."""
    run = base(scale)
    model = replace(with_image_to_seq(run.model), start=replace(run.model.start, kind="queries"))
    if scale != "small":
        return replace(run, model=model)
    return replace(
        run,
        model=model,
        data=replace(run.data, distribution=Spheres(max_objects=4), count=4096),
        train=replace(
            run.train,
            samples=28_800,
            batch_size=16,
            loss="log1p_l2",
            optim=replace(run.train.optim, lr_multiplier=2.0),
            tests=10,
            checkpoint_every=50,
        ),
    )
