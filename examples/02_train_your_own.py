"""Train a model of your own: change an experiment, generate its data, train it, look at its test loss.

    python examples/02_train_your_own.py

takes a minute and leaves a run in runs/mine, which `luxel evaluate` and `luxel render` take. The same call again
goes on from where it was stopped.
"""

import sys
from dataclasses import replace
from pathlib import Path

from luxel.experiments import EXPERIMENTS, Experiment
from luxel.experiments.run import run
from luxel.scene.distributions import Spheres


def my_experiment(samples: int, scenes: int) -> Experiment:
    """The log's standard run at its smallest scale, on few large spheres, with another loss."""
    base = EXPERIMENTS["standard_run"].make("tiny")
    return replace(
        base,
        data=replace(base.data, distribution=Spheres(max_objects=3), count=scenes, spp=64),
        train=replace(base.train, samples=samples, loss="log1p_l1"),
    )


def main(out: Path = Path("runs/mine"), *, samples: int = 2048, scenes: int = 256) -> None:
    """Train it on so many pictures, of so many scenes, and say how well it did."""
    result = run(my_experiment(samples, scenes), out)
    print(f"{result['status']} after {result['seconds']} s: test loss {result['test_loss']:.4f}, in {out}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
