"""Running what is missing of a comparison, and gathering its records. Resumable: repeating the call goes on."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tqdm import tqdm

from luxel import InputError
from luxel.data.batches import evaluation_batches
from luxel.data.dataset import ShardDataset
from luxel.evaluation.evaluate import evaluate
from luxel.experiments.data_sets import data_of
from luxel.experiments.experiment import EXPERIMENTS, Experiment, Scale, with_train
from luxel.experiments.run import data_folder, experiment_of, generate_for, run, run_folder
from luxel.ledger.record import Record, noted, record_of
from luxel.pipeline import Renderer
from luxel.train.run_folder import read_result
from luxel.train.runtime import accelerator

TONE_MAP = "clamp"


@dataclass(frozen=True)
class Planned:
    """A run of a comparison."""

    name: str
    scale: Scale
    seed: int

    @property
    def experiment(self) -> Experiment:
        """Its configuration: the experiment's, with this seed for weights and order."""
        return with_train(EXPERIMENTS[self.name].make(self.scale), seed=self.seed)

    @property
    def folder(self) -> Path:
        """Its run folder."""
        return run_folder(self.name, self.scale, self.experiment)

    @property
    def data(self) -> Path:
        """Its data set."""
        return data_folder(self.experiment.data)


@dataclass(frozen=True)
class Made:
    """A run that a comparison takes as it is, by its folder."""

    folder: Path
    scale: None = None

    @property
    def name(self) -> str:
        """Its path."""
        return self.folder.as_posix()

    @cached_property
    def experiment(self) -> Experiment:
        """Its configuration."""
        return experiment_of(self.folder)

    @property
    def seed(self) -> int:
        """Of its weights and order."""
        return self.experiment.train.seed

    @cached_property
    def data(self) -> Path:
        """Its data set."""
        return data_of(self.folder)


def made(folder: Path) -> Made:
    """The run in a folder. Raises InputError if it is none, has not ended, or its data set is not to be found."""
    run = Made(folder)
    _ = run.experiment
    if not (folder / "result.json").exists():
        raise InputError(f"{folder}: the run has not ended; repeat its `luxel train` command")
    if read_result(folder)["status"] != "diverged":
        _ = run.data
    return run


def planned(names: Sequence[str], scale: Scale, seeds: int) -> list[Planned]:
    """Every run, all experiments with one seed before any with the next: an early end leaves whole comparisons."""
    return [Planned(name, scale, seed) for seed in range(seeds) for name in dict.fromkeys(names)]


def collect(runs: Sequence[Planned | Made], cpu: bool = False) -> tuple[dict[Planned | Made, Record], list[InputError]]:
    """Generate the data sets, train and evaluate what is missing, under one progress bar.

    Returns each run's record, and what is wrong with the runs that have none: the others are made without them.
    """
    due = [plan for plan in runs if isinstance(plan, Planned)]
    records: dict[Planned | Made, Record] = {}
    wrong: list[InputError] = []
    for one in {(plan.data, plan.experiment.stream is None): plan for plan in due}.values():
        with noted(wrong):
            generate_for(one.experiment, one.data)
    with tqdm(total=sum(plan.experiment.train.samples for plan in due), unit="img", smoothing=0.01) as bar:
        for number, plan in enumerate(runs, start=1):
            bar.set_description(f"{number}/{len(runs)} {plan.name} seed {plan.seed}")
            before = bar.n
            with noted(wrong):
                if isinstance(plan, Planned):
                    run(plan.experiment, plan.folder, plan.data, cpu, bar)
                records[plan] = evaluated(plan, cpu)
            if isinstance(plan, Planned):
                bar.update(before + plan.experiment.train.samples - bar.n)  # of a run that had ended, or diverged
    return records, wrong


def evaluated(plan: Planned | Made, cpu: bool = False) -> Record:
    """The record of a run that has ended, kept in its folder; a model that diverged is not evaluated."""
    path, result = plan.folder / "record.json", read_result(plan.folder)
    with suppress(InputError):  # there is none, or it is damaged: then it is made anew
        record = Record.load(path)
        if (record.result, record.name) == (result, plan.name):
            return record
    metrics: dict[str, float | None] = {}
    provenance = "diverged"
    if result["status"] != "diverged":
        device = accelerator(cpu).device
        model = Renderer.from_pretrained(plan.folder, device).model
        test, experiment = ShardDataset(plan.data, "test"), plan.experiment
        spp, loss = int(test.manifest.settings["spp"]), experiment.train.loss
        batches = evaluation_batches(test, 64)
        evaluation = evaluate(model, batches, spp, test.content_hash, loss, TONE_MAP, device, progress=False)
        metrics = {name: summary.mean for name, summary in evaluation.metrics.items()}
        provenance = evaluation.provenance
    record = record_of(plan.folder, plan.name, plan.scale, plan.seed, metrics, provenance)
    record.save(path)
    return record
