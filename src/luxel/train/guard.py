"""The guard: what to do with a step whose loss or gradient is not finite. A pure state machine."""

from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal

PATIENCE = 20
"""Consecutive bad steps after which training has diverged."""

Verdict = Literal["step", "skip", "diverged"]


@dataclass(frozen=True)
class Guard:
    """Counts of skipped steps, in all and in a row."""

    skipped: int = 0
    in_a_row: int = 0

    def observe(self, loss: float, gradient_norm: float) -> tuple["Guard", Verdict]:
        """The next state and what the optimiser may do, asked before it steps."""
        if isfinite(loss) and isfinite(gradient_norm):
            return replace(self, in_a_row=0), "step"
        after = Guard(self.skipped + 1, self.in_a_row + 1)
        return after, "diverged" if after.in_a_row >= PATIENCE else "skip"
