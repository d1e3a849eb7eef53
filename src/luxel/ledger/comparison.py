"""`luxel experiments compare`: run what is missing, then one page and one table about all of it."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from luxel import InputError
from luxel.cluster import Cluster
from luxel.data.dataset import ShardDataset
from luxel.evaluation.compare import Table, write_comparison
from luxel.evaluation.page import Line
from luxel.evaluation.report import of_test_set
from luxel.experiments.experiment import Scale
from luxel.files.atomic import write_atomically, writing
from luxel.image.side_by_side import SideBySide
from luxel.ledger.claims import SEEDS, count_diverged, diagnoses_of
from luxel.ledger.collect import TONE_MAP, collect
from luxel.ledger.plan import FinishedRun, PlannedRun, finished_run, planned_runs
from luxel.ledger.record import Record, collecting_errors
from luxel.pipeline import Renderer
from luxel.train.run_folder import machine_in_words

SCENES = 8
METRICS = {"perceptual": "perceptual loss", "psnr": "PSNR dB", "flip": "FLIP", "equivalent_spp": "equivalent spp"}


def compare(
    names: Sequence[str | Path],
    scale: Scale,
    seeds: int,
    out: Path,
    cpu: bool = False,
    jobs: int = 1,
    cluster: Cluster | None = None,
) -> tuple[Path, str]:
    """Make every run that is missing; write out/index.html, out/comparison.md and out/records/; return page and table.

    `names` are of experiments, whose records are kept; paths are run folders, which are taken as they are. Interrupted
    at any moment, the same call goes on. `jobs` are made at once (`luxel.ledger.parallel`), or on a cluster as
    many as that can. Pictures are of seed 0, on the first run's test scenes, by the runs that were tested on the same.

    A run that cannot be made, or read, does not keep the others from being compared without it; all that is wrong is
    told by an InputError after that.
    """
    own: list[FinishedRun] = []
    wrong: list[InputError] = []
    for name in dict.fromkeys(names):
        if isinstance(name, Path):
            with collecting_errors(wrong):
                own.append(finished_run(name))
    runs: list[PlannedRun | FinishedRun] = [
        *planned_runs([name for name in names if isinstance(name, str)], scale, seeds),
        *own,
    ]
    made_of, not_made = collect(runs, cpu, jobs, cluster)
    wrong += not_made
    records, page = list(made_of.values()), out / "index.html"
    if not records:
        raise combined(wrong, f"{page} is not written")
    scenes, not_shown = scenes_by_all(made_of)
    wrong += not_shown
    save_records(records, out / "records")
    facts = {
        "scale": scale if any(record.scale is not None for record in records) else "as each run's",
        "data": ", ".join(sorted({describe(record) for record in records})),
        "seeds": str(seeds),
        "machine": ", ".join(sorted({machine_in_words(record.environment) for record in records})),
    }
    table, provenance = run_table(records), provenance_of(records, seeds)
    write_comparison(page, title_of(records), facts, provenance, table, plots(records), scenes, TONE_MAP)
    text = f"{table.markdown()}\n{provenance}. ±: half the 95 % interval over seeds.\n"
    write_atomically(out / "comparison.md", text.encode())
    if wrong:
        raise combined(wrong, f"{page} is without them")
    return page, text


def save_records(records: Sequence[Record], folder: Path) -> None:
    """Keep the records of experiments, from which findings are made."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        if record.scale is not None:
            record.save(folder / record.file)


def title_of(records: Sequence[Record]) -> str:
    """The experiments' names, if they are few."""
    names = list(by_name(records))
    return "Luxel: " + (", ".join(names) if len(names) < 5 else f"{len(names)} experiments compared")


def provenance_of(records: Sequence[Record], seeds: int) -> str:
    """What the figures must be quoted with."""
    quoted = dict.fromkeys(record.provenance for record in records if not record.diverged)
    provenance = "; ".join(quoted) or "every run diverged"
    if seeds < SEEDS:
        provenance += f". Seeds: {seeds}; with fewer than {SEEDS}, differences may be chance"
    return provenance


def combined(wrong: Sequence[InputError], consequence: str) -> InputError:
    """One error of all these, a line each, and of what comes of them."""
    return InputError("\n".join([*dict.fromkeys(map(str, wrong)), consequence]))


def run_table(records: Sequence[Record]) -> Table:
    """A row an experiment: precision, metrics, final losses, time, memory and divergences over its seeds."""
    head = [
        "experiment",
        "seeds",
        "precision",
        "training images",
        *METRICS.values(),
        "train loss",
        "test loss",
        "time s",
        "memory MiB",
        "test set",
        "diverged",
    ]
    rows = []
    for name, own in by_name(records).items():
        finished = [record for record in own if not record.diverged]
        diagnoses = diagnoses_of(own)
        events = sorted({event["diagnosis"] for record in finished for event in record.result["events"]})
        rows.append(
            [
                name,
                str(len(own)),
                ", ".join(sorted({record.experiment["train"]["precision"] for record in own})),
                f"{np.mean([record.result['samples'] for record in own]):,.0f}",
                *(spread([record.figure(metric) for record in finished]) for metric in METRICS),
                spread([record.figure("train_loss") for record in finished]),
                spread([record.result["test_loss"] for record in finished]),
                *(spread([record.result[name] for record in own]) for name in ("seconds", "peak_memory_mib")),
                own[0].data["test_set"][:8],
                count_diverged(own)
                + (f" ({', '.join(diagnoses)})" if diagnoses else "")
                + (f"; noted: {', '.join(events)}" if events else ""),
            ]
        )
    return Table(head, rows)


def by_name(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records of each experiment, in order."""
    names = dict.fromkeys(record.name for record in records)
    return {name: [record for record in records if record.name == name] for name in names}


def spread(measured: Sequence[float | None]) -> str:
    """The mean, and half its 95 % interval (Student's t) where there are values enough; a dash without any.

    Values that are not finite, null in a file, are left out.
    """
    values = [value for value in measured if value is not None and math.isfinite(value)]
    if not values:
        return "–"
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.3g}"
    half = stats.t.ppf(0.975, len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return f"{mean:.3g} ± {half:.2g}"


def plots(records: Sequence[Record]) -> dict[tuple[str, str], list[Line]]:
    """Train and test losses over images and over time: a colour an experiment, a line a seed."""
    found: dict[tuple[str, str], list[Line]] = {}
    for group, own in enumerate(by_name(records).values()):
        for number, record in enumerate(own):
            name = "" if number else record.name
            for kind, curve in (("train", record.train), ("test", record.test)):
                found.setdefault(("training images", f"{kind} loss"), []).append(
                    Line(name, curve.samples, curve.losses, group)
                )
                found.setdefault(("seconds", f"{kind} loss"), []).append(Line(name, curve.seconds, curve.losses, group))
    return found


def scenes_by_all(records: Mapping[PlannedRun | FinishedRun, Record]) -> tuple[list[SideBySide], list[InputError]]:
    """The first test scenes by all that finished on the first run's test set: runs of seed 0, or given by folder.

    Also what is wrong with the test set or with the runs that are not shown for it.
    """
    first = next(iter(records.values())).data["test_set"]
    shown = [
        plan
        for plan, record in records.items()
        if (plan.seed == 0 or isinstance(plan, FinishedRun))
        and not record.diverged
        and record.data["test_set"] == first
    ]
    wrong: list[InputError] = []
    if not shown:
        return [], wrong
    with collecting_errors(wrong):
        test, images = ShardDataset(shown[0].data, "test"), {}
        scenes = [test.scene(index) for index in range(min(SCENES, len(test)))]
        for plan in shown:
            with collecting_errors(wrong):
                images[plan.name] = Renderer.from_pretrained(plan.folder).render(scenes)
        if images:
            return of_test_set(test, images), wrong
    return [], wrong


def describe(record: Record) -> str:
    """The data set in words."""
    data = record.data
    size = f"{data['width']}×{data['height']}"
    return f"{data['count']} scenes of “{data['distribution']}”, {size}, {data['spp']} spp"
