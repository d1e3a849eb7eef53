"""Trace scenes of many sizes with compiled stages, and print how often each function was compiled and the difference.

A process of its own, without the type checks of the test suite, through which torch.compile can't see. The argument is
a backend: `inductor` makes machine code, `eager` only traces, which is what recompiles.
"""

import json
import sys

import numpy as np
import torch
from torch._inductor.compile_fx import compile_fx
from tracer_scenes import FEATURES, LAMP, ball, scene

from luxel.trace.path import PathTracer

compile_with = torch.compile
compilations: dict[str, int] = {}


def counted(function, *, options, **settings):
    """As torch.compile, counting."""

    def backend(graph, inputs):
        compilations[function.__name__] = compilations.get(function.__name__, 0) + 1
        if sys.argv[1] == "eager":
            return graph.forward
        return compile_fx(graph, inputs, config_patches=options)

    return compile_with(function, backend=backend, **settings)


torch.compile = counted
torch.set_num_threads(1)
row = scene(*(ball(0.4 * x, 0, 0, 0.15, LAMP if x == 1 else FEATURES["plastic"][0].objects[2].material)
              for x in range(-6, 7)))  # fmt: skip
lone = FEATURES["depth 1"][0].model_copy(update={"objects": FEATURES["depth 1"][0].objects[2:]})
requests = [  # scenes, width, height, spp, depth
    ([FEATURES["many lights"][0], row], 7, 5, 3, 4),
    ([FEATURES["plastic"][0]] * 3, 16, 4, 2, 8),
    ([FEATURES["rough glass"][0]], 1, 1, 64, 6),
    ([lone] * 2, 8, 8, 1, 3),
    ([FEATURES["diffuse, background alone"][0], lone], 11, 13, 2, 5),
    ([FEATURES[name][0] for name in FEATURES if name != "many lights"], 6, 6, 2, 5),
]
difference = means = 0.0
for scenes, width, height, spp, depth in requests:
    eager, compiled = (
        PathTracer(max_depth=depth, compiled=choice).trace(scenes, width, height, spp, 0).mean
        for choice in (False, True)
    )
    apart = np.abs(eager - compiled) / (np.abs(eager) + 1e-2)
    difference = max(difference, float(np.quantile(apart, 0.99)))
    means = max(means, float(np.abs(eager.mean((1, 2)) - compiled.mean((1, 2))).max()))
print(json.dumps({"compilations": compilations, "difference": difference, "means": means}))
