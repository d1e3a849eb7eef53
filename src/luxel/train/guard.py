"""The guard: notices a run that goes wrong, names what is wrong and says what to do. A pure state machine.

It sees every step's loss, gradient norm and loss scale, and every test loss; it touches neither weights nor files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf, isfinite, nan
from statistics import median
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from luxel.configuration import Configuration, Steps

Verdict: TypeAlias = Literal["go on", "skip", "reset statistics", "roll back", "stop"]
Diagnosis: TypeAlias = Literal[
    "data not finite",
    "loss or gradient not finite",
    "loss scale collapsed",
    "loss spike",
    "batch-norm statistics blown up",
    "test loss blown up",
]
Multiple: TypeAlias = Annotated[float, Field(gt=1, le=1e30)]
"""Of a median or a best loss."""

REMEDY: Mapping[Diagnosis, Verdict] = {
    "data not finite": "stop",
    "loss or gradient not finite": "roll back",
    "loss scale collapsed": "roll back",
    "loss spike": "roll back",
    "batch-norm statistics blown up": "reset statistics",
    "test loss blown up": "roll back",
}
"""What `recover` does. The log's own remedy for test images that had gone black was to reset running statistics."""
FATAL: tuple[Diagnosis, ...] = ("data not finite", "loss or gradient not finite", "loss scale collapsed")
"""After these there is no going on without a remedy."""


@dataclass(frozen=True)
class GuardConfig(Configuration, path="train.guard"):
    """When a run counts as going wrong, and what is done about it."""

    response: Literal["report", "recover", "stop"] = "report"
    """report: log the diagnosis, and stop only where no step succeeds any more. recover: apply its remedy, reset
    batch norm's running statistics or roll back to the last good checkpoint at half the rate. stop: end the run."""
    patience: Steps = 20
    """Consecutive steps that are not finite, or consecutive losses above the spike limit, before the diagnosis."""
    window: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Losses in the running median."""
    spike: Multiple = 10.0
    """A loss above this many medians is a spike."""
    test_jump: Multiple = 10.0
    """Test loss over its best, while the median of the training loss has not grown, that is a diagnosis: with batch
    norm, that the statistics with which it tests are no longer those with which it trains."""
    rollbacks: Annotated[int, Field(ge=0, le=1000)] = 3
    """At most so many; then the run stops."""


@dataclass(frozen=True)
class Event:
    """A diagnosis, the step it was made at and the verdict it led to."""

    step: int
    diagnosis: Diagnosis
    verdict: Verdict


@dataclass(frozen=True)
class Guard:
    """What the guard remembers of a run."""

    skipped: int = 0
    """Steps that were not finite, in all."""
    in_a_row: int = 0
    """The last so many steps were not finite."""
    spiking: int = 0
    """The last so many losses were above the spike limit."""
    losses: tuple[float, ...] = ()
    """The last finite losses that were no spikes."""
    before_spike: float = nan
    """Median loss before the last spike."""
    best_test: float = inf
    train_at_best: float = nan
    """Median training loss when the test loss was best."""
    rollbacks: int = 0
    events: tuple[Event, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether this is a state to come back to."""
        return self.in_a_row == 0 and self.spiking == 0

    def lost(self, config: GuardConfig) -> bool:
        """Whether the loss has stayed where a spike took it."""
        return median(self.losses or (inf,)) > config.spike * self.before_spike

    @property
    def rate(self) -> float:
        """What the learning rate is to be multiplied by: half for every time it was rolled back."""
        return 0.5**self.rollbacks

    def observe(
        self,
        config: GuardConfig,
        step: int,
        loss: float,
        gradient_norm: float,
        at_floor: bool | None = None,
        data_finite: bool = True,
    ) -> tuple["Guard", Verdict]:
        """The next state and what may be done with this step's gradient, asked before the optimiser takes it.

        `data_finite` says whether the batch's radiance is, which need be known only if the loss is not. `at_floor` says
        whether the loss scale can get no lower; None: there is none. A gradient that overflows with room below is how a
        loss scale finds its place, and does not count towards the patience.
        """
        if not (isfinite(loss) and isfinite(gradient_norm)):
            scaling = isfinite(loss) and at_floor is not None
            counts = at_floor or not scaling
            after = replace(self, skipped=self.skipped + 1, in_a_row=self.in_a_row + bool(counts))
            if after.in_a_row < config.patience:
                return after, "skip"
            if not data_finite:
                return after._diagnose(config, step, "data not finite")
            return after._diagnose(config, step, "loss scale collapsed" if scaling else "loss or gradient not finite")
        if len(self.losses) == config.window and loss > config.spike * median(self.losses):
            after = replace(self, in_a_row=0, spiking=self.spiking + 1)
            if after.spiking < config.patience:
                return after, "go on"
            return after._diagnose(config, step, "loss spike")
        return replace(self, in_a_row=0, spiking=0, losses=(*self.losses, loss)[-config.window :]), "go on"

    def observe_test(
        self, config: GuardConfig, step: int, test_loss: float, data_finite: bool = True, batch_norm: bool = True
    ) -> tuple["Guard", Verdict]:
        """The next state and what to do after a test: on data that are finite? of a model with batch norm?"""
        train = median(self.losses) if self.losses else nan
        if test_loss < self.best_test:
            return replace(self, best_test=test_loss, train_at_best=train), "go on"
        jumped = test_loss > config.test_jump * self.best_test and train <= 1.5 * self.train_at_best
        if not data_finite:
            return self._diagnose(config, step, "data not finite")
        if self.healthy and (jumped or not isfinite(test_loss)):
            return self._diagnose(
                config, step, "batch-norm statistics blown up" if batch_norm else "test loss blown up"
            )
        return self, "go on"

    def _diagnose(self, config: GuardConfig, step: int, diagnosis: Diagnosis) -> tuple["Guard", Verdict]:
        """Record the diagnosis and choose the response; the row that led to it starts anew."""
        verdict: Verdict = "stop"
        spike = diagnosis == "loss spike"
        if config.response == "recover":
            verdict = REMEDY[diagnosis]
            if verdict == "roll back" and self.rollbacks == config.rollbacks:
                verdict = "stop"
        elif config.response == "report" and diagnosis not in FATAL:
            verdict = "go on"
        after = replace(
            self,
            in_a_row=0,
            spiking=0,
            losses=() if spike else self.losses,  # what is normal has changed
            before_spike=median(self.losses) if spike else self.before_spike,
            rollbacks=self.rollbacks + (verdict == "roll back"),
            events=(*self.events, Event(step, diagnosis, verdict)),
        )
        return after, verdict

    def after_rollback(self, now: "Guard") -> "Guard":
        """This state, that of an earlier checkpoint, with what `now` knows of the run's history."""
        return replace(self, skipped=now.skipped, rollbacks=now.rollbacks, events=now.events)
