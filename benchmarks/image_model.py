"""How fast does the image model train, at the sizes where the 2020 code was measured?

    python benchmarks/image_model.py [--sizes 32 64 128] [--seconds 20]

The last line is one JSON object: training images/s (forward, backward, Adam; fp32; batch 32) by output width, beside
the 2020 code's on two cores of an AMD EPYC, and the ratio of the two.
"""

import json
import statistics
import time
from dataclasses import dataclass, replace
from typing import Annotated

from luxel.configuration import Configuration, Pixels
from luxel.models.image_model import ImageModel, ImageModelConfig, scaled
from luxel.models.tokens import Tokens

import torch
import tyro
from pydantic import Field

REFERENCE_IMAGES_PER_S = {32: 47.0, 64: 5.3, 128: 1.1}
BATCH, OBJECTS = 32, 8


@dataclass(frozen=True)
class Options(Configuration):
    """What to measure."""

    sizes: tuple[Pixels, ...] = (32, 64)
    """Output widths, powers of two; a step at 128 takes half a minute on two cores."""
    seconds: Annotated[float, Field(gt=0, le=1e6)] = 20.0
    """How long to train at each width, at least three steps."""


def images_per_s(config: ImageModelConfig, seconds: float) -> float:
    """The median rate of training steps on random tokens and targets, after two that warm up."""
    torch.manual_seed(0)
    model = ImageModel(config).train()
    optimizer = torch.optim.Adam(model.parameters())
    tokens = Tokens(
        objects=torch.randn(BATCH, OBJECTS, config.object_features),
        mask=torch.ones(BATCH, OBJECTS, dtype=torch.bool),
        camera=torch.ones(BATCH, 1),
        background=torch.zeros(BATCH, 3),
    )
    target = torch.rand(BATCH, config.width, config.width, 3)
    rates: list[float] = []
    deadline = time.perf_counter() + seconds
    while len(rates) < 5 or time.perf_counter() < deadline:
        started = time.perf_counter()
        loss = (model.picture(tokens) - target).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        rates.append(BATCH / (time.perf_counter() - started))
    return statistics.median(rates[2:])


def main(options: Options) -> None:
    """Measure every size and print the table, then the JSON object."""
    results = {}
    for width in options.sizes:
        growth = width / 32
        config = replace(scaled(ImageModelConfig(), width=growth, sequence=growth), width=width)
        rate, reference = images_per_s(config, options.seconds), REFERENCE_IMAGES_PER_S.get(width)
        parameters = sum(parameter.numel() for parameter in ImageModel(config).parameters())
        results[width] = {
            "images_per_s": round(rate, 2),
            "parameters": parameters,
            "reference_2020_images_per_s": reference,
            "ratio": reference and round(rate / reference, 2),
        }
        print(f"{width:>4}²  {parameters / 1e6:5.2f} M  {rate:7.2f} images/s  ({reference} in 2020)", flush=True)
    print(json.dumps({"threads": torch.get_num_threads(), "batch": BATCH, "sizes": results}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
