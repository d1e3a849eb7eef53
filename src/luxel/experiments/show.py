"""What the command line says of experiments: the list, and one of them in full."""

import json

from luxel.experiments.experiment import EXPERIMENTS, Entry, Scale
from luxel.models.cost import Cost, cost_by_part
from luxel.models.image_model import ImageModel
from luxel.train.run_folder import differences

BASE = "standard_run"
"""The experiment that `show_experiment` compares with."""


def list_experiments() -> str:
    """Group, name and one line for each experiment."""
    width = max(map(len, EXPERIMENTS)) + 2
    lines, group = [], None
    for entry in EXPERIMENTS.values():
        if entry.group != group:
            group = entry.group
            lines.append(f"\n{group}")
        lines.append(f"  {entry.name:<{width}}{entry.summary}")
    return "\n".join(lines).lstrip("\n")


def show_experiment(entry: Entry, scale: Scale) -> str:
    """Description, whole configuration, what differs from the base, parameters and operations by part."""
    experiment = entry.make(scale)
    values = experiment.to_json()
    sections = [
        f"{entry.name} ({entry.group}, scale {scale})\n\n{entry.description}",
        "configuration\n" + json.dumps(values, indent=2, ensure_ascii=False),
    ]
    if entry.name != BASE:
        changed = differences(EXPERIMENTS[BASE].make(scale).to_json(), values)
        lines = [f"  {field}: {there!r} → {here!r}" for field, there, here in changed]
        sections.append("\n".join([f"differs from {BASE} in", *lines]))
    costs = cost_by_part(ImageModel(experiment.model))
    total = sum(costs.values(), Cost())
    rows = [cost_row(part, cost, total) for part, cost in {**costs, "total": total}.items()]
    head = f"{'part':<18}{'parameters':>14}{'':>7}{'MFLOP/image':>14}"
    sections.append("\n".join([head, *rows]))
    return "\n\n".join(sections)


def cost_row(part: str, cost: Cost, total: Cost) -> str:
    """A line of the cost table: absolute and as a share of the whole."""
    parameters, flops = cost.parameters / total.parameters, cost.flops / total.flops
    return f"{part:<18}{cost.parameters:>14,}{parameters:>7.0%}{cost.flops / 1e6:>14.1f}{flops:>7.0%}"
