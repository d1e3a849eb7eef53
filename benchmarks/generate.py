"""How many images a second does `luxel generate` trace, on all cores?

    python benchmarks/generate.py [--count 1024]

The last line is one JSON object: images/s at 32², 128 spp, for scenes of 1 to 8 spheres and of 1 to 8 ellipsoids,
writing shards included, beside the 45 that two one-thread Mitsuba processes gave on two cores of an AMD EPYC (spheres).
"""

import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import tyro

from luxel.data.generate import GenerateSettings, generate
from luxel.scene.distributions import Ellipsoids, Spheres

REFERENCE_IMAGES_PER_S = 45.0


@dataclass(frozen=True)
class Options:
    """What to measure."""

    count: int = 1024
    """Scenes of each distribution."""


def main(options: Options) -> None:
    """Generate both data sets in a temporary folder, and print the JSON object."""
    rates = {}
    for distribution in (Spheres(max_objects=8), Ellipsoids(max_objects=8)):
        with tempfile.TemporaryDirectory() as folder:
            settings = GenerateSettings(distribution, count=options.count)
            started = time.perf_counter()
            generate(settings, Path(folder) / "data")
            rates[distribution.name] = round(options.count / (time.perf_counter() - started), 1)
    print(json.dumps({"cores": os.cpu_count(), "images_per_s": rates, "reference_spheres": REFERENCE_IMAGES_PER_S}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
