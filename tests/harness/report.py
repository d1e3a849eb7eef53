"""What came of a part of the harness: how many cases were tried, which failed, and which of those are listed."""

import re
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from harness.listed import LISTED

Case = TypeVar("Case")
SHOWN_EVERY_S = 10.0


class Report:
    """Counts of one part, which begins no case after `seconds`; `seed` settles which cases come first."""

    def __init__(self, part: str, seconds: float = 1e9, seed: int = 0) -> None:
        self.part, self.seed = part, seed
        self.tried = 0
        self.failed: list[str] = []
        self.listed: list[str] = []
        self._end, self._shown = time.monotonic() + seconds, time.monotonic()

    @property
    def counts(self) -> dict[str, int]:
        """How many cases were tried, failed, and failed as listed."""
        return {"tried": self.tried, "failed": len(self.failed), "listed": len(self.listed)}

    def add(self, case: str, problem: str | None, tried: int = 1) -> None:
        """Count `tried` cases, and the problem with the last, if there is one."""
        self.tried += tried
        if problem is not None:
            told = f"{case}: {problem}"
            known = any(re.fullmatch(pattern, told, re.DOTALL) for pattern in LISTED)
            (self.listed if known else self.failed).append(told)
            if not known:
                print(f"{self.part}: {told}", file=sys.stderr, flush=True)
        if time.monotonic() - self._shown > SHOWN_EVERY_S:
            self._shown = time.monotonic()
            print(f"{self.part}: {self.counts}", file=sys.stderr, flush=True)

    def some(self, cases: Sequence[Case], share: float) -> Iterator[Case]:
        """This share of the cases, in the seed's order of chance, until the time is over."""
        order = np.random.default_rng(self.seed).permutation(len(cases))[: round(share * len(cases))]
        for index in order.tolist():
            if time.monotonic() > self._end:
                return
            yield cases[index]
