"""Running what is missing of a comparison, and gathering its records. Resumable: repeating the call goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from luxel.data.batches import evaluation_batches
from luxel.data.dataset import ShardDataset
from luxel.evaluation.evaluate import evaluate
from luxel.experiments.experiment import EXPERIMENTS, Experiment, Scale, with_train
from luxel.experiments.run import data_folder, generate_for, run, run_folder
from luxel.ledger.record import Record, record_of
from luxel.pipeline import Renderer
from luxel.train.run_folder import read_json
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


def planned(names: Sequence[str], scale: Scale, seeds: int) -> list[Planned]:
    """Every run, all experiments with one seed before any with the next: an early end leaves whole comparisons."""
    return [Planned(name, scale, seed) for seed in range(seeds) for name in dict.fromkeys(names)]


def collect(runs: Sequence[Planned], cpu: bool = False) -> list[Record]:
    """Generate the data sets, train and evaluate what is missing, under one progress bar; return every run's record."""
    for plan in {(plan.data, plan.experiment.stream is None): plan for plan in runs}.values():
        generate_for(plan.experiment, plan.data)
    records = []
    with tqdm(total=sum(plan.experiment.train.samples for plan in runs), unit="img", smoothing=0.01) as bar:
        for number, plan in enumerate(runs, start=1):
            bar.set_description(f"{number}/{len(runs)} {plan.name} seed {plan.seed}")
            before = bar.n
            run(plan.experiment, plan.folder, plan.data, cpu, bar)
            bar.update(before + plan.experiment.train.samples - bar.n)  # of a run that had ended, or diverged
            records.append(evaluated(plan, cpu))
    return records


def evaluated(plan: Planned, cpu: bool = False) -> Record:
    """The record of a run that has ended, kept in its folder; a model that diverged is not evaluated."""
    path, result = plan.folder / "record.json", read_json(plan.folder / "result.json")
    if path.exists() and (record := Record.load(path)).result == result:
        return record
    metrics, provenance = {}, "diverged"
    if result["status"] != "diverged":
        device = accelerator(cpu).device
        model = Renderer.from_pretrained(plan.folder, device).model
        test, experiment = ShardDataset(plan.data, "test"), plan.experiment
        batches, spp, loss = evaluation_batches(test, 64), experiment.data.spp, experiment.train.loss
        evaluation = evaluate(model, batches, spp, test.content_hash, loss, TONE_MAP, device, progress=False)
        metrics = {name: summary.mean for name, summary in evaluation.metrics.items()}
        provenance = evaluation.provenance
    record = record_of(plan.folder, plan.name, plan.scale, plan.seed, metrics, provenance)
    record.save(path)
    return record
