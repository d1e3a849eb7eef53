"""Running what is missing of a comparison, and gathering its records. Resumable: repeating the call goes on."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import torch

from luxel import InputError
from luxel.cluster import Cluster
from luxel.data.batches import evaluation_batches
from luxel.data.dataset import ShardDataset
from luxel.evaluation.evaluate import Evaluation, EvaluationProtocol, evaluate
from luxel.experiments.run import generate_for, run
from luxel.ledger.on_cluster import make_on_cluster
from luxel.ledger.parallel import make_in_processes
from luxel.ledger.plan import FinishedRun, PlannedRun
from luxel.ledger.record import Record, collecting_errors, record_of
from luxel.pipeline import Renderer
from luxel.progress import ProgressBar
from luxel.train.run_folder import read_result
from luxel.train.runtime import accelerator

TONE_MAP = "clamp"


def collect(
    runs: Sequence[PlannedRun | FinishedRun], cpu: bool = False, jobs: int = 1, cluster: Cluster | None = None
) -> tuple[dict[PlannedRun | FinishedRun, Record], list[InputError]]:
    """Generate the data sets, train and evaluate what is missing: in turn, `jobs` at once, or on a cluster.

    Returns each run's record, and what is wrong with the runs that have none: the others are made without them.
    """
    due = [plan for plan in runs if isinstance(plan, PlannedRun)]
    records: dict[PlannedRun | FinishedRun, Record] = {}
    wrong: list[InputError] = []
    for one in {(plan.data, plan.experiment.stream is None): plan for plan in due}.values():
        with collecting_errors(wrong):
            generate_for(one.experiment, one.data, cluster)
    failed: dict[PlannedRun, InputError] = {}
    missing = [plan for plan in due if not (plan.folder / "result.json").exists()]
    if cluster is not None:
        failed = make_on_cluster(missing, cluster, cpu)
    elif jobs > 1:
        failed = make_in_processes(missing, jobs, cpu)
    wrong += failed.values()
    runs = [plan for plan in runs if plan not in failed]  # those that have just been made are but checked and read
    total = sum(plan.experiment.train.samples for plan in runs if isinstance(plan, PlannedRun))
    with ProgressBar(total=total, unit="img", smoothing=0.01) as bar:
        for number, plan in enumerate(runs, start=1):
            bar.set_description(f"{number}/{len(runs)} {plan.name} seed {plan.seed}")
            before = bar.n
            with collecting_errors(wrong):
                if isinstance(plan, PlannedRun):
                    run(plan.experiment, plan.folder, plan.data, cpu, bar)
                records[plan] = evaluated(plan, cpu)
            if isinstance(plan, PlannedRun):
                bar.update(before + plan.experiment.train.samples - bar.n)  # of a run that had ended, or diverged
    return records, wrong


def evaluated(plan: PlannedRun | FinishedRun, cpu: bool = False) -> Record:
    """The record of a run that has ended, kept in its folder; a model that diverged is not evaluated."""
    path, result = plan.folder / "record.json", read_result(plan.folder)
    with suppress(InputError):  # there is none, or it is damaged: then it is made anew
        record = Record.load(path)
        if (record.result, record.name) == (result, plan.name):
            return record
    metrics: dict[str, float | None] = {}
    provenance = "diverged"
    if result["status"] != "diverged":
        loss, device = plan.experiment.train.loss, accelerator(cpu).device
        evaluation = evaluation_of(plan.folder, plan.data, loss, device)
        metrics = {name: summary.mean for name, summary in evaluation.metrics.items()}
        provenance = evaluation.provenance
    record = record_of(plan.folder, plan.name, plan.scale, plan.seed, metrics, provenance)
    record.save(path)
    return record


def evaluation_of(model: Path, data: Path, loss: str, device: str | torch.device) -> Evaluation:
    """A folder's model on the test scenes of a data set; `loss` is the one that it was trained with."""
    test = ShardDataset(data, "test")
    protocol, network = EvaluationProtocol.of(test, loss, TONE_MAP), Renderer.from_pretrained(model, device).model
    return evaluate(network, evaluation_batches(test, 64), protocol, device, progress=False)
