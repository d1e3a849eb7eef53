"""How many images a second does `luxel generate` trace, on all cores, by Luxel's path tracer and by Mitsuba?

    python benchmarks/generate.py [--count 1024] [--rounds 3]

Both make the same data sets, 32², 128 spp, of 1 to 8 spheres and of 1 to 8 ellipsoids, writing shards included, in
turns. The last line is one JSON object: `images_per_s` of either, the median over rounds, by distribution, and
`ratio`, that of the path tracer over Mitsuba. What the path tracer compiles once on a machine is not counted.
"""

import json
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, get_args

from luxel.configuration import Configuration, Repeats
from luxel.data.generate import generate
from luxel.data.generate_settings import GenerateSettings, TracerName
from luxel.scene.distributions import Ellipsoids, Spheres

import tyro
from pydantic import Field


@dataclass(frozen=True)
class Options(Configuration):
    """What to measure."""

    count: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1024
    """Scenes of each distribution."""
    rounds: Repeats = 3


def images_per_s(settings: GenerateSettings) -> float:
    """The rate at which a data set comes into being in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        generate(settings, Path(folder) / "data", progress=False)
        return settings.count / (time.perf_counter() - started)


def main(options: Options) -> None:
    """Generate the data sets, and print the JSON object."""
    images_per_s(GenerateSettings(count=1, spp=2))
    rates: dict[str, dict[str, float]] = {tracer: {} for tracer in get_args(TracerName)}
    for distribution in (Spheres(max_objects=8), Ellipsoids(max_objects=8)):
        settings = GenerateSettings(distribution, count=options.count)
        rounds = [
            {tracer: images_per_s(replace(settings, tracer=tracer)) for tracer in get_args(TracerName)}
            for _ in range(options.rounds)
        ]
        for tracer, found in rates.items():
            found[distribution.name] = round(statistics.median(one[tracer] for one in rounds), 1)
            print(f"{tracer:>8}  {distribution.name:<12}{found[distribution.name]:8.1f} images/s", flush=True)
    ratio = {name: round(rate / rates["mitsuba"][name], 2) for name, rate in rates["path"].items()}
    print(json.dumps({"cores": os.cpu_count(), "images_per_s": rates, "ratio": ratio}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
