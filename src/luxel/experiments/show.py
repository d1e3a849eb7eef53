"""What the command line says of experiments: the list, and one of them in full."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from luxel import InputError
from luxel.experiments import EXPERIMENTS, GROUPS, Entry, Scale
from luxel.experiments.experiment import group_of
from luxel.models.cost import Cost, cost_by_part
from luxel.models.model_types import model_of
from luxel.models.pretrained import WEIGHTS
from luxel.train.run_folder import differences, read_result
from luxel.train.train_config import TrainConfig

COLUMNS, ROWS = 64, 6
BARS = " ▁▂▃▄▅▆▇█"


def list_experiments(*places: Path) -> str:
    """Group, name, date and one line for each experiment; below it, what came of its runs in the folders `places`.

    At the end come all other runs there, by their paths. Without `places` it is the folder `runs`.
    """
    width = max(map(len, EXPERIMENTS)) + 2
    runs = list(dict.fromkeys(run for place in places or (Path("runs"),) for run in run_folders(place)))
    sections = []
    for group in GROUPS:
        lines = [group]
        for entry in map(EXPERIMENTS.__getitem__, group_of(group)):
            lines.append(f"  {entry.name:<{width}}{entry.date}  {entry.summary}")
            for run in runs_of(entry, runs):
                lines += [f"  {'':<{width}}→ {run.name.removeprefix(entry.name + '-')}: {outcome(run)}"]
                runs.remove(run)
        sections.append("\n".join(lines))
    if runs:
        sections.append("\n".join(["other runs", *(f"  {run}: {outcome(run)}" for run in runs)]))
    return "\n\n".join(sections)


def run_folders(place: Path) -> list[Path]:
    """All run folders in a folder, itself included: those with a result or a run's configuration."""
    found = {path.parent for name in ("config.json", "result.json") for path in place.rglob(name)}
    return sorted(folder for folder in found if not (folder / WEIGHTS).exists() and folder.name != "model")


def runs_of(entry: Entry, runs: Sequence[Path]) -> list[Path]:
    """Those of the runs that are where the experiment's are made, and have ended, scale by scale."""
    ended = [run for run in runs if run.parent.name == entry.group and (run / "result.json").exists()]
    return [run for scale in get_args(Scale) for run in ended if run.match(f"{entry.name}-{scale}*")]


def outcome(run: Path) -> str:
    """How a run has ended, on one line: diverged runs are called so."""
    if not (run / "result.json").exists():
        return "has not ended"
    try:
        result = read_result(run)
    except InputError as error:
        return str(error)
    loss = f"test loss {result['test_loss']:.2e}" if result["test_loss"] is not None else "no test loss"
    why = f" ({result['diagnosis']})" if result["diagnosis"] else ""
    return f"{result['status']}{why}, {loss}"


def show_experiment(entry: Entry, scale: Scale) -> str:
    """Description, configuration, what differs from the base, learning rate, parameters and operations by part."""
    experiment = entry.make(scale)
    values = experiment.to_json()
    sections = [
        f"{entry.name} (group {entry.group}, log of {entry.date}, scale {scale})\n\n{entry.description}",
        "configuration\n" + json.dumps(values, indent=2, ensure_ascii=False),
    ]
    if entry.base is not None:
        changed = differences(EXPERIMENTS[entry.base].make(scale).to_json(), values)
        lines = [f"  {field}: {there!r} → {here!r}" for field, there, here in changed]
        sections.append("\n".join([f"differs from {entry.base} in", *lines]))
    sections.append(plot_rate(experiment.train))
    costs = cost_by_part(model_of(experiment.model))
    total = sum(costs.values(), Cost())
    rows = [cost_row(part, cost, total) for part, cost in {**costs, "total": total}.items()]
    head = f"{'part':<18}{'parameters':>14}{'':>7}{'MFLOP/image':>14}"
    sections.append("\n".join([head, *rows]))
    return "\n\n".join(sections)


def plot_rate(config: TrainConfig) -> str:
    """The learning rate over training, as text: ROWS lines of eighth blocks, the highest rate at the left."""
    rates = [config.rate(max(1, round((i + 0.5) / COLUMNS * config.steps))) for i in range(COLUMNS)]
    top = max(rates)
    lines = []
    for row in reversed(range(ROWS)):
        filled = (min(1.0, max(0.0, rate / top * ROWS - row)) for rate in rates)
        label = {ROWS - 1: f"{top:.2g}", 0: "0"}.get(row, "")
        lines.append(f"{label:>10}  " + "".join(BARS[round(share * (len(BARS) - 1))] for share in filled))
    steps = f"{config.steps:,} steps of {config.batch_size}"
    return "\n".join(["learning rate", *lines, f"{'':>12}0{steps:>{COLUMNS - 1}}"])


def cost_row(part: str, cost: Cost, total: Cost) -> str:
    """A line of the cost table: absolute and as a share of the whole."""
    parameters, flops = cost.parameters / total.parameters, cost.flops / total.flops
    return f"{part:<18}{cost.parameters:>14,}{parameters:>7.0%}{cost.flops / 1e6:>14.1f}{flops:>7.0%}"
