"""`luxel train` and `luxel cooldown`: runs."""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from luxel.cli.options import DIVERGED, first_word, parsed, refuse_former
from luxel.cli.time_limit import Minutes, time_limit
from luxel.configuration import Configuration, Samples

if TYPE_CHECKING:
    from luxel.experiments import Experiment
    from luxel.train.run_folder import Result

STREAM = "stream:"
"""What `--data stream:DISTRIBUTION` begins with."""


def train(arguments: list[str]) -> int:
    """Train an experiment, or go on with it: luxel train EXPERIMENT."""
    from luxel.experiments import EXPERIMENTS, Experiment, Scale
    from luxel.experiments.data_sets import training_set
    from luxel.experiments.experiment import with_optim
    from luxel.experiments.folders import run_folder
    from luxel.experiments.requirements import check_model, check_traced
    from luxel.experiments.run import Start, run
    from luxel.files.atomic import check_writable_folder
    from luxel.scene.folder import PREFIX
    from luxel.train.optim import LrMultiplier
    from luxel.trained_models import find_weights

    name, rest = first_word(arguments, "train", "EXPERIMENT", EXPERIMENTS)
    refuse_former(rest)

    @dataclass(frozen=True)
    class Basis(Configuration):
        scale: Scale = "small"
        """tiny: 16², seconds; small: 32², for CPUs; long: five times as many images; medium: 64², for a GPU; full: the
        log's 128²."""
        data: str | None = None
        """A folder of `luxel generate`; or scenes:DIR for a folder of scenes, which are traced as --data.spp and so on
        say; or stream:DISTRIBUTION for fresh scenes, traced while the network trains (paths and rays: --stream.spp,
        --stream.rays). Without it the experiment's own data set is generated below data/."""

    basis, _ = tyro.cli(Basis, args=rest, return_unknown_args=True, add_help=False)
    default = on_data(EXPERIMENTS[name].make(basis.scale), basis.data)
    streams = basis.data is not None and default.stream is not None

    @dataclass(frozen=True)
    class Options(Basis):
        experiment: Annotated[tyro.conf.AvoidSubcommands[Experiment], tyro.conf.arg(name="")] = default
        lr_multiplier: LrMultiplier = default.train.optim.lr_multiplier
        """Short for --train.optim.lr-multiplier."""
        out: Path | None = None
        """Run folder; runs/<group>/<name>-<scale> unless given."""
        start_from: str | None = None
        """Trained weights to begin with, to fine-tune them: a run folder, or a model that comes with Luxel."""
        cpu: bool = False
        """Stay on the CPU even where there is a GPU."""
        minutes: Minutes | None = None
        """Stop, with a checkpoint, shortly before so many are over, with exit code 75: the same command goes on."""

    options = parsed(Options, f"luxel train {name}", rest)
    experiment = options.experiment
    if options.lr_multiplier != default.train.optim.lr_multiplier:
        experiment = with_optim(experiment, lr_multiplier=options.lr_multiplier)
    start = None if options.start_from is None else find_weights(options.start_from)
    out = options.out or run_folder(name, options.scale, experiment, start)
    check_writable_folder(out)
    print(f"{name}, {options.scale}: {out}", file=sys.stderr)
    if options.data is not None and options.data.startswith(PREFIX):  # before its scenes are traced
        check_model(experiment)
        check_traced(experiment, options.data)
    with time_limit(options.minutes):
        folder = None if options.data is None or streams else training_set(options.data, experiment.data)
        result = run(experiment, out, folder, options.cpu, start=Start(start))
    return report_run(result, out)


def on_data(experiment: "Experiment", data: str | None) -> "Experiment":
    """The experiment on fresh scenes for `stream:DISTRIBUTION`, else on a data set; None: as it is."""
    from luxel.experiments.experiment import with_distribution, with_stream

    if data is None:
        return experiment
    if data.startswith(STREAM):
        return with_stream(with_distribution(experiment, data.removeprefix(STREAM)))
    return replace(experiment, stream=None)


def cooldown(arguments: list[str]) -> int:
    """Branch off a run at its stable rate and let the rate decay: luxel cooldown RUN --samples N --out DIR."""
    from luxel.experiments.cooldown import cooldown as run
    from luxel.files.atomic import check_writable_folder

    @dataclass(frozen=True)
    class Options(Configuration):
        run: tyro.conf.Positional[Path]
        """Run folder whose schedule is constant, or stable_decay."""
        samples: Samples
        """Images over which the rate falls to 0."""
        out: Path
        """Run folder of the branch."""
        data: Path | None = None
        """The data set, if it is not the one that the experiment generated."""
        cpu: bool = False

    options = parsed(Options, "luxel cooldown", arguments)
    check_writable_folder(options.out)
    return report_run(run(options.run, options.samples, options.out, options.data, options.cpu), options.out)


def report_run(result: "Result", out: Path) -> int:
    """Print a training's result, say if it diverged, and return the exit code."""
    from luxel.train.runtime import leave_process_group

    leave_process_group()
    print(json.dumps(result, indent=2))
    print(f"run folder: {out}")
    if result["status"] == "diverged":
        print(f"diverged at step {result['steps']}: {result['diagnosis']}", file=sys.stderr)
        return DIVERGED
    return 0
