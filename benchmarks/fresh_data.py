"""Does training on fresh scenes end the overfitting that a fixed set of images shows?

    python benchmarks/fresh_data.py [--experiment standard_run] [--scale small] [--fixed 20000] [--samples 0] [--spp 16]

Trains the experiment twice over equally many samples: on a fixed set of training images, and on a stream that shows
none twice. Both learn from targets of the same spp and are tested on the same images. Repeating the command goes on
where it stood. The last line is one JSON object: train and test loss of both at equal samples seen, the train loss
being the mean since the test before, and test over train loss at the end (1: no overfitting).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated

from luxel.configuration import Configuration, Paths
from luxel.experiments import EXPERIMENTS, Scale
from luxel.experiments.experiment import with_data, with_stream, with_train
from luxel.experiments.run import run
from luxel.files.typed_json import read_json
from luxel.train.run_folder import read_metrics

import tyro
from pydantic import Field


@dataclass(frozen=True)
class Options(Configuration):
    """What to train."""

    experiment: str = "standard_run"
    scale: Scale = "small"
    fixed: Annotated[int, Field(ge=1, le=1_000_000_000)] = 20_000
    """Images of the fixed set, about: those that the split leaves for training."""
    samples: Annotated[int, Field(ge=0, le=1 << 40)] = 0
    """Training images of either run; 0: the experiment's own number."""
    spp: Paths = 16
    """Paths a pixel, of all targets."""
    out: Path = Path("runs/benchmarks/fresh_data")
    cpu: bool = False


def curves(folder: Path) -> dict[str, list[float]]:
    """Samples seen at each test, the test loss there, and the mean train loss since the test before."""
    found: dict[str, list[float]] = {"samples": [], "test": [], "train": []}
    since: list[float] = []
    for row in read_metrics(folder / "metrics.jsonl"):
        if row["train_loss"] is not None:  # else the step was skipped
            since.append(row["train_loss"])
        if "test_loss" in row:
            found["samples"].append(row["samples"])
            found["test"].append(row["test_loss"])
            found["train"].append(fmean(since))
            since = []
    return found


def main(options: Options) -> None:
    """Train both runs; print a table, then the JSON object."""
    base = EXPERIMENTS[options.experiment].make(options.scale)
    base = with_train(base, samples=options.samples or base.train.samples)
    count = round(options.fixed / (1 - base.data.test_share))
    base = with_data(base, count=count, spp=options.spp)
    name = f"{options.experiment}-{options.scale}-{options.fixed}-{base.train.samples}-{options.spp}spp"
    results = {}
    for kind, made in {"fixed": base, "stream": with_stream(base)}.items():
        folder = options.out / f"{name}-{kind}"
        run(made, folder, cpu=options.cpu)
        results[kind] = curves(folder)
        for samples, test, train in zip(*results[kind].values(), strict=True):
            print(f"{kind:>6}  {samples:>9,} samples  test {test:.3e}  train {train:.3e}", flush=True)
    ratios = {kind: round(found["test"][-1] / found["train"][-1], 3) for kind, found in results.items()}
    test_set = read_json(options.out / f"{name}-fixed" / "config.json")["data"]["test_set"]
    settings = {**asdict(options), "out": str(options.out), "loss": base.train.loss, "test_set": test_set}
    print(json.dumps({"settings": settings, "curves": results, "test_over_train": ratios}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
