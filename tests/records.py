"""Records made up for tests: no run behind them."""

from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import with_train
from luxel.experiments.run_config import RunData
from luxel.ledger.record import Curve, Record
from luxel.train.run_folder import Environment, Result

DATA: RunData = {
    "test_set": "ab" * 32,
    "width": 32,
    "height": 32,
    "spp": 128,
    "count": 9,
    "distribution": "spheres",
    "test_share": 0.1,
}
ENVIRONMENT: Environment = {
    "luxel": "0.0.9",
    "commit": "1234",
    "python": "3.11.1",
    "torch": "2.7.0",
    "platform": "Linux",
    "cpu": "A processor",
    "cpu_count": 2,
    "gpu": None,
}


def result(diagnosis: str | None = None, test_loss: float | None = 0.01) -> Result:
    """How a run ended: well, or with this diagnosis."""
    return {
        "status": "diverged" if diagnosis else "finished",
        "diagnosis": diagnosis,
        "events": [],
        "steps": 25,
        "samples": 400,
        "seconds": 4.0,
        "images_per_s": 100.0,
        "peak_memory_mib": 512.5,
        "train_loss": 0.1,
        "test_loss": test_loss,
        "skipped_steps": 0,
        "parameters": 1234,
    }


def record(name: str, seed: int = 0, perceptual: float = 0.01, scale="small", **changes) -> Record:
    """A finished run with this loss, or (`diagnosis`) one that diverged."""
    diagnosis = changes.pop("diagnosis", None)
    curve = Curve([100, 200, 300, 400], [1.0, 2.0, 3.0, 4.0], [0.4, 0.3, 0.2, 0.1])
    values = {
        "name": name,
        "scale": scale,
        "seed": seed,
        "experiment": with_train(EXPERIMENTS[name].make(scale), seed=seed).to_json(),
        "data": DATA,
        "result": result(diagnosis, perceptual),
        "metrics": {} if diagnosis else {"perceptual": perceptual, "flip": 0.3, "psnr": 21.0, "equivalent_spp": 0.5},
        "provenance": "diverged" if diagnosis else "9 test images, hash abab, reference 128 spp, tone map clamp",
        "train": curve,
        "test": curve,
        "environment": ENVIRONMENT,
    }
    return Record(**{**values, **changes})


def seeds(name: str, *losses: float, **changes) -> list[Record]:
    """A record for each loss, of seeds 0, 1, …"""
    return [record(name, seed, loss, **changes) for seed, loss in enumerate(losses)]
