"""Finished models of any length from one long run at a constant rate: branches off it whose rate decays."""

from pathlib import Path

from luxel.experiments.experiment import Experiment, with_schedule, with_train
from luxel.experiments.run import Start, run
from luxel.experiments.run_config import check_data, experiment_of, read_config
from luxel.files.atomic import only_one, write_atomically
from luxel.train.checkpoint import read_progress
from luxel.train.run_folder import Result, RunFolderError

BRANCH = "branch.safetensors"
"""The checkpoint that a cooldown began with, in its run folder."""


def cooldown(parent: Path, samples: int, out: Path, data: Path | None = None, cpu: bool = False) -> Result:
    """Branch off the stable phase of a run and let the rate decay to 0 over `samples`; return the result.

    One long run at a constant rate gives finished models of any length that way (Hu et al. 2024, §4; Hägele et al.
    2024). The branch starts where a `stable_decay` run began to decay, or where a `constant` run stands. Of a run that
    began with trained weights, points to learn from are measured anew, with those of the branch. Raises RunFolderError
    if `parent` has no stable phase.
    """
    experiment = experiment_of(parent)
    config, schedule = experiment.train, experiment.train.optim.schedule
    check_data(parent, experiment, data)
    branch = out / BRANCH
    if not branch.exists():  # else the parent may have trained on since
        check_branch(parent, experiment, out)
        with only_one(out):
            write_atomically(branch, stable_checkpoint(parent, experiment).read_bytes())
    begun = read_progress(branch).step
    steps = begun + max(1, samples // config.batch_size)
    decaying = with_schedule(
        experiment,
        shape="stable_decay",
        warmup=schedule.warmup * schedule.drawn_for * config.steps / steps,
        decay=(steps - begun) / steps,
        final=0.0,
        drawn_for=1.0,
    )
    # What mirrors show would else be shaded, in points that are measured anew, by weights that know nothing.
    start = Start(checkpoint=branch, checkpoint_measures="start" in read_config(parent))
    return run(with_train(decaying, samples=steps * config.batch_size), out, data, cpu, start=start)


def stable_checkpoint(parent: Path, experiment: Experiment) -> Path:
    """The run's last checkpoint of its stable phase."""
    decays = experiment.train.last_stable_step < experiment.train.steps
    return parent / ("stable.safetensors" if decays else "checkpoint.safetensors")


def check_branch(parent: Path, experiment: Experiment, out: Path) -> None:
    """Raise RunFolderError if the parent has no stable phase to branch off, or the branch's folder is another run's."""
    config, schedule = experiment.train, experiment.train.optim.schedule
    source = stable_checkpoint(parent, experiment)
    if (out / "config.json").exists():
        raise RunFolderError(f"{out} holds a run that is not a branch; name another folder with --out")
    if config.last_stable_step == 0 or not source.exists():
        raise RunFolderError(
            f"{parent} has no checkpoint in a stable phase to branch off: its schedule is {schedule.shape}; train with "
            "--train.optim.schedule.shape constant, or stable_decay up to its decay"
        )
    begun = read_progress(source).step
    if begun < schedule.warmup * schedule.drawn_for * config.steps:
        raise RunFolderError(f"{source} is still warming up, at step {begun}; train on before branching off")
