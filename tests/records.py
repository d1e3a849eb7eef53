"""Records made up for tests: no run behind them."""

from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import with_train
from luxel.ledger.record import Curve, Record


def record(name: str, seed: int = 0, perceptual: float = 0.01, scale="small", **changes) -> Record:
    """A finished run with this loss, or (`diagnosis`) one that diverged."""
    diagnosis = changes.pop("diagnosis", None)
    curve = Curve([100, 200, 300, 400], [1.0, 2.0, 3.0, 4.0], [0.4, 0.3, 0.2, 0.1])
    values = {
        "name": name,
        "scale": scale,
        "seed": seed,
        "experiment": with_train(EXPERIMENTS[name].make(scale), seed=seed).to_json(),
        "data": {"test_set": "ab" * 32, "width": 32, "height": 32, "spp": 128, "count": 9, "distribution": "spheres"},
        "result": {
            "status": "diverged" if diagnosis else "finished",
            "diagnosis": diagnosis,
            "events": [],
            "samples": 400,
            "seconds": 4.0,
            "peak_memory_mib": 512.5,
            "train_loss": 0.1,
            "test_loss": perceptual,
        },
        "metrics": {} if diagnosis else {"perceptual": perceptual, "flip": 0.3, "psnr": 21.0, "equivalent_spp": 0.5},
        "provenance": "diverged" if diagnosis else "9 test images, hash abab, reference 128 spp, tone map clamp",
        "train": curve,
        "test": curve,
        "environment": {"gpu": None, "cpu": "A processor", "cpu_count": 2, "platform": "Linux", "commit": "1234"},
    }
    return Record(**{**values, **changes})


def seeds(name: str, *losses: float, **changes) -> list[Record]:
    """A record for each loss, of seeds 0, 1, …"""
    return [record(name, seed, loss, **changes) for seed, loss in enumerate(losses)]
