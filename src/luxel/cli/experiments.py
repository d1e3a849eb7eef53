"""`luxel experiments`: what there are, one in full, several compared, the log's findings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import Field

from luxel import InputError
from luxel.cli.options import first_word, on_cluster, parsed
from luxel.cli.time_limit import Minutes, time_limit
from luxel.cluster import Cores, Gpus
from luxel.configuration import Configuration


def experiments(arguments: list[str]) -> int:
    """The experiments there are, one in full, several compared, the log's findings: luxel experiments ACTION."""
    name, rest = first_word(arguments, "experiments", "ACTION", ACTIONS)
    return ACTIONS[name](rest)


def list_(arguments: list[str]) -> int:
    """Every experiment with its group, date and one line, and what came of its runs."""
    from luxel.experiments.show import list_experiments
    from luxel.files.atomic import check_folder

    @dataclass(frozen=True)
    class Options(Configuration):
        runs: tuple[Path, ...] = (Path("runs"),)
        """Where to look for runs: folders of them, at any depth, or runs themselves."""

    places = parsed(Options, "luxel experiments list", arguments).runs
    for place in places:
        check_folder(place)
        if place != Path("runs") and not place.is_dir():
            raise InputError(f"runs is {place}, which is no folder")
    print(list_experiments(*places))
    return 0


def show(arguments: list[str]) -> int:
    """One experiment: configuration, what differs from its base, learning rate, parameters and operations."""
    from luxel.experiments import EXPERIMENTS, Scale
    from luxel.experiments.show import show_experiment

    name, rest = first_word(arguments, "experiments show", "EXPERIMENT", EXPERIMENTS)

    @dataclass(frozen=True)
    class Options(Configuration):
        scale: Scale = "small"

    print(show_experiment(EXPERIMENTS[name], parsed(Options, f"luxel experiments show {name}", rest).scale))
    return 0


def compare(arguments: list[str]) -> int:
    """Run what is missing of these experiments or groups, and set all, and your own runs, side by side on one page."""
    from luxel.experiments import EXPERIMENTS, GROUPS, Scale
    from luxel.experiments.data_sets import is_run
    from luxel.experiments.experiment import group_of
    from luxel.files.atomic import check_writable_folder
    from luxel.ledger.comparison import compare as run

    @dataclass(frozen=True)
    class Options(Configuration):
        names: tyro.conf.Positional[tuple[str, ...]]
        """Experiments, or groups of them, and folders of runs that have ended, which are taken as they are."""
        scale: Scale = "small"
        seeds: Annotated[int, Field(ge=1, le=1000)] = 1
        """Runs an experiment; from 2 on there are intervals."""
        out: Path | None = None
        """Folder of the page; runs/compare/<names>-<scale> unless given."""
        cpu: bool = False
        jobs: Annotated[int, Field(ge=1, le=1024)] = 1
        """Runs at once, in processes, each with cores // JOBS threads, or OMP_NUM_THREADS where that is set; the same
        number of threads makes the same runs."""
        minutes: Minutes | None = None
        """Stop, with checkpoints, shortly before so many are over, with exit code 75: the same command goes on."""
        cluster: str | None = None
        """Make the runs on a cluster of Ray's, at HOST:PORT, or auto; from a folder that all its nodes share."""
        cluster_cpus: Cores = 1.0
        """That each run on the cluster takes, and its threads unless OMP_NUM_THREADS is set."""
        cluster_gpus: Gpus = 0.0
        """That each run on the cluster takes: 0.25 for four on one GPU; 0 for none."""

    options = parsed(Options, "luxel experiments compare", arguments)
    names: list[str | Path] = []
    for given in options.names:
        is_folder = given not in (*EXPERIMENTS, *GROUPS) and is_run(Path(given))
        names += [Path(given)] if is_folder else group_of(given)
    if not names:
        raise InputError("no experiments to compare: name one, or a group; `luxel experiments list` shows all")
    called = [Path(given).name for given in options.names]
    several = f"{called[0]}+{len(called) - 1}" if len(called) > 3 else "+".join(called)
    out = options.out or Path("runs/compare") / f"{several}-{options.scale}"
    check_writable_folder(out)
    if options.cluster is not None and options.jobs > 1:
        raise InputError(f"--jobs is {options.jobs}, but a cluster makes as many runs as it can at once; leave it out")
    with time_limit(options.minutes), on_cluster(options.cluster, options.cluster_cpus, options.cluster_gpus) as nodes:
        page, text = run(names, options.scale, options.seeds, out, options.cpu, options.jobs, nodes)
    print(text)
    print(f"open {page.resolve()}")
    return 0


def findings(arguments: list[str]) -> int:
    """What the log found, and whether it holds in the runs whose records are in folders: docs/findings.md."""
    from luxel.files.atomic import check_folder, check_writable
    from luxel.ledger.findings import write_findings

    @dataclass(frozen=True)
    class Options(Configuration):
        records: Annotated[tuple[Path, ...], Field(min_length=1)] = (Path("docs/ledger"),)
        """Folders of records, as `compare` leaves in <out>/records; those that are in several count once."""
        out: Path = Path("docs/findings.md")

    options = parsed(Options, "luxel experiments findings", arguments)
    for folder in options.records:
        check_folder(folder)
    check_writable(options.out, "findings.md")
    write_findings(options.records, options.out)
    print(options.out)
    return 0


ACTIONS: dict[str, Callable[[list[str]], int]] = {
    action.__name__.rstrip("_"): action for action in (list_, show, compare, findings)
}
