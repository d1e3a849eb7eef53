"""Processes of their own, forked from one that has imported what they need: else each would take 3 s for it."""

import multiprocessing
from multiprocessing.context import ForkServerContext

PRELOADED = [
    "luxel.cli",
    "luxel.data.export.export",
    "luxel.experiments.run",
    "luxel.pipeline",
    "torch._dynamo",  # as torch's optimisers do
]


def forkserver() -> ForkServerContext:
    """What makes such processes, of which Linux has the means."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context
