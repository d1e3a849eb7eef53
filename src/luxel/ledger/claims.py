"""Claims about runs: what records say of each, by intervals over seeds."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from scipy import stats

from luxel.experiments.experiment import Scale
from luxel.ledger.record import Record

Verdict: TypeAlias = Literal["holds", "does not hold", "undecided"]
SEEDS = 3
"""Fewer decide nothing."""
CONFIDENCE = 0.95
NOTABLE = 1.1
"""The smallest ratio that counts as a difference (as in equivalence tests, Lakens 2017), of every claim and metric.

It was chosen after runs at the scales in SEEN_BEFORE had been seen, and fixed on NOTABLE_SINCE, before any at another
scale was made. Whoever changes it adds the scales of all runs made by then, and the day.
"""
NOTABLE_SINCE = "2026-11-26"
SEEN_BEFORE: tuple[Scale, ...] = ("tiny", "small")


@dataclass(frozen=True)
class Judgement:
    """What the records say of a claim: the figure it rests on, the scale of its runs, and why if it is undecided."""

    verdict: Verdict
    figure: str
    scale: Scale | None = None
    seeds: int = 0
    """Of the run that has fewest."""


@dataclass(frozen=True)
class Claim(ABC):
    """A finding of the log: its text and date, and the log's own figure or words."""

    text: str
    date: str
    log: str

    @property
    @abstractmethod
    def runs(self) -> tuple[str, ...]:
        """The experiments that test it."""

    @abstractmethod
    def decide(self, records: Sequence[Sequence[Record]]) -> tuple[Verdict, str]:
        """Verdict and figure from the records of each run, all of one scale and one test set."""

    def judge(self, records: Sequence[Record]) -> list[Judgement]:
        """A judgement for each scale at which all the claim's runs have been made; the first is the claim's.

        That is of the largest scale with seeds enough or, where there is none, of the largest, undecided. The others
        follow from the largest to the smallest. Of a claim whose runs have not been made it is "not run".
        """
        groups_of = {
            scale: [[r for r in records if (r.name, r.scale) == (name, scale)] for name in self.runs]
            for scale in reversed(get_args(Scale))
        }
        made = [self._judge_at(scale, groups) for scale, groups in groups_of.items() if all(groups)]
        made.sort(key=lambda judgement: judgement.seeds < SEEDS)  # which is stable
        return made or [Judgement("undecided", "not run")]

    def _judge_at(self, scale: Scale, groups: Sequence[Sequence[Record]]) -> Judgement:
        """The judgement from the records of each run at one scale."""
        seeds = min(map(len, groups))
        if len({record.data["test_set"] for group in groups for record in group}) > 1:
            return Judgement("undecided", "runs of different test sets", scale, seeds)
        verdict, figure = self.decide(groups)
        if seeds < SEEDS:
            told = "one seed" if seeds == 1 else f"{seeds} of {SEEDS} seeds"
            return Judgement("undecided", f"{figure}; {told}", scale, seeds)
        return Judgement(verdict, figure, scale, seeds)


@dataclass(frozen=True)
class Ratio:
    """A ratio of geometric means, and its Welch interval, which is all numbers above 0 of a single seed."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isinf(self.high):
            return f"{self.mean:.3g}"
        return f"{self.mean:.3g} ({self.low:.3g} – {self.high:.3g})"


def ratio(above: Sequence[float], below: Sequence[float]) -> Ratio:
    """The ratio of the geometric means and its 95 % interval (Welch's, on logarithms); infinite without 2 of each."""
    over, under = ([math.log(value) for value in values] for values in (above, below))
    mean = math.exp(sum(over) / len(over) - sum(under) / len(under))
    if min(len(over), len(under)) < 2:
        return Ratio(mean, 0.0, math.inf)
    interval = stats.ttest_ind(over, under, equal_var=False).confidence_interval(CONFIDENCE)
    return Ratio(mean, math.exp(interval.low), math.exp(interval.high))


def compared(above: Sequence[Record], below: Sequence[Record], metric: str) -> Ratio | None:
    """The ratio of a metric between two runs; None unless every seed has a figure above 0."""
    values = [[record.figure(metric) for record in own] for own in (above, below)]
    if not all(value is not None and value > 0 for own in values for value in own):
        return None
    return ratio(*([value for value in own if value is not None] for own in values))


@dataclass(frozen=True)
class Better(Claim):
    """One run ends with a lower figure than another."""

    better: str
    worse: str
    metric: str = "perceptual"

    @property
    def runs(self) -> tuple[str, ...]:
        """Both runs."""
        return self.better, self.worse

    def decide(self, records: Sequence[Sequence[Record]]) -> tuple[Verdict, str]:
        """Holds if the whole interval of worse over better is above 1, or if only the worse diverged, every time.

        Does not hold if the whole interval is below NOTABLE: whatever difference there is, it is less than that.
        """
        better, worse = records
        if any(record.diverged for record in (*better, *worse)):
            said = divergences({self.better: better, self.worse: worse})
            if all(record.diverged for record in worse) and not any(record.diverged for record in better):
                return "holds", said
            if all(record.diverged for record in better) and not any(record.diverged for record in worse):
                return "does not hold", said
            return "undecided", said
        found = compared(worse, better, self.metric)
        if found is None:
            return "undecided", f"a seed has no {self.metric}"
        verdict: Verdict = "holds" if found.low > 1 else "does not hold" if found.high < NOTABLE else "undecided"
        return verdict, f"{self.metric} {found} times"


@dataclass(frozen=True)
class Same(Claim):
    """Two runs end with the same figure, within a tenth."""

    one: str
    other: str
    metric: str = "perceptual"

    @property
    def runs(self) -> tuple[str, ...]:
        """Both runs."""
        return self.one, self.other

    def decide(self, records: Sequence[Sequence[Record]]) -> tuple[Verdict, str]:
        """Holds if the whole interval of the ratio is within the limit, does not if it is wholly outside."""
        one, other = records
        if any(record.diverged for record in (*one, *other)):
            return "undecided", divergences({self.one: one, self.other: other})
        found = compared(other, one, self.metric)
        if found is None:
            return "undecided", f"a seed has no {self.metric}"
        inside = found.low > 1 / NOTABLE and found.high < NOTABLE
        outside = found.high < 1 / NOTABLE or found.low > NOTABLE
        verdict: Verdict = "holds" if inside else "does not hold" if outside else "undecided"
        return verdict, f"{self.metric} {found} times"


@dataclass(frozen=True)
class Diverges(Claim):
    """A run diverges, or (`expected` False) does not."""

    run: str
    expected: bool = True

    @property
    def runs(self) -> tuple[str, ...]:
        """The run."""
        return (self.run,)

    def decide(self, records: Sequence[Sequence[Record]]) -> tuple[Verdict, str]:
        """Holds if every seed does as claimed, does not if none does."""
        (own,) = records
        as_claimed = [record.diverged == self.expected for record in own]
        verdict: Verdict = "holds" if all(as_claimed) else "undecided" if any(as_claimed) else "does not hold"
        diagnoses = diagnoses_of(own)
        return verdict, f"{count_diverged(own)} diverged" + (f" ({', '.join(diagnoses)})" if diagnoses else "")


@dataclass(frozen=True)
class PreventsDivergence(Claim):
    """A run diverges, and another, with one thing changed, does not."""

    run: str
    without: str
    """The run without the change."""

    @property
    def runs(self) -> tuple[str, ...]:
        """Both runs."""
        return self.run, self.without

    def decide(self, records: Sequence[Sequence[Record]]) -> tuple[Verdict, str]:
        """Holds if every seed diverges without the change and none with it, does not hold if all do with it, too.

        Where none diverges without it there is nothing to prevent, and nothing is known of the change.
        """
        changed, without = records
        said = divergences({self.run: changed, self.without: without})
        if not any(record.diverged for record in without):
            return "undecided", f"{said}; nothing to prevent"
        if not all(record.diverged for record in without):
            return "undecided", said
        still = [record.diverged for record in changed]
        verdict: Verdict = "does not hold" if all(still) else "undecided" if any(still) else "holds"
        return verdict, said


def divergences(records: Mapping[str, Sequence[Record]]) -> str:
    """How many runs of each experiment diverged, in words."""
    return "diverged: " + ", ".join(f"{count_diverged(own)} of {name}" for name, own in records.items())


def diagnoses_of(records: Sequence[Record]) -> list[str]:
    """What the runs that diverged were diagnosed with."""
    return sorted({str(record.result["diagnosis"]) for record in records if record.diverged})


def count_diverged(records: Sequence[Record]) -> str:
    """How many of the runs diverged."""
    return f"{sum(record.diverged for record in records)} of {len(records)}"
