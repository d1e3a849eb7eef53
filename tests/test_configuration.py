"""Ranges: declared with every number, and checked however a value came."""

import inspect
import math
import pickle
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import tyro
from ablation import SCALES
from configurations import TRIED, cases, changed, configurations, dataclasses_within, example, numbers
from pydantic import Field, TypeAdapter, ValidationError

import luxel
from luxel import InputError
from luxel.cli.command import VERBS
from luxel.cli.experiments import ACTIONS
from luxel.configuration import (
    Configuration,
    FieldError,
    Share,
    checker,
    described,
    hints_of,
    intervals,
    printable,
    shortened,
)
from luxel.experiments import EXPERIMENTS, Experiment
from luxel.experiments.experiment import with_optim


@dataclass(frozen=True)
class Knobs(Configuration, path="train.knobs"):
    count: Annotated[int, Field(ge=1, le=9)] = 3
    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    when: Literal["every", "never"] | Annotated[int, Field(ge=1, le=99)] = "every"
    pair: tuple[Share, Share] = (0.25, 0.5)
    on: bool = False


@dataclass(frozen=True)
class Panel(Configuration):
    knobs: Knobs = Knobs()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("count", 0, "is 0, must be an integer in [1, 9]"),
        ("count", "3", "is '3', must be an integer in [1, 9]"),
        ("count", True, "is True, must be an integer in [1, 9]"),
        ("count", 2.5, "is 2.5, must be an integer in [1, 9]"),
        ("count", None, "is None, must be an integer in [1, 9]"),
        ("share", math.nan, "is nan, must be a number in (0, 1) or None"),
        ("share", 1, "is 1, must be a number in (0, 1) or None"),
        ("when", 0, "is 0, must be every or never or an integer in [1, 99]"),
        ("when", "evry", "is 'evry', must be every or never or an integer in [1, 99]"),
        ("pair", (0.5, -1), "is (0.5, -1), must be 2 values, each a number in [0, 1]"),
        ("pair", (0.5,), "is (0.5,), must be 2 values, each a number in [0, 1]"),
        ("on", 1, "is 1, must be True or False"),
        ("count", "\x1b[31m" * 99, "is '\\x1b[31m\\x1b[31m"),
    ],
)
def test_a_value_out_of_its_range_is_one_line(field, value, message):
    for make in (lambda: Knobs(**{field: value}), lambda: replace(Knobs(), **{field: value})):
        with pytest.raises(InputError) as error:
            make()
        assert str(error.value).startswith(f"train.knobs.{field} {message}")
        assert str(error.value).isprintable()
        assert len(str(error.value)) < 200
    with pytest.raises(ValidationError):
        TypeAdapter(Panel).validate_python({"knobs": {field: value}}, strict=True)


def test_the_error_is_the_same_in_another_process():
    with pytest.raises(FieldError) as raised:
        Knobs(count=0)
    again = pickle.loads(pickle.dumps(raised.value))
    assert (again.field, again.value) == ("train.knobs.count", 0)
    assert again.args == raised.value.args == (str(again),) == ("train.knobs.count is 0, must be an integer in [1, 9]",)


def test_what_is_in_range_is_kept_as_its_type():
    assert Knobs(9, 0.5, 99, (0, 1), True) == Knobs(count=9, share=0.5, when=99, pair=(0.0, 1.0), on=True)
    assert isinstance(Knobs(pair=(0, 1)).pair[0], float)
    assert TypeAdapter(Panel).validate_python({"knobs": {"pair": [0, 1]}}) == Panel(Knobs(pair=(0, 1)))
    with pytest.raises(InputError, match=r"^knobs is 3, must be Knobs$"):
        Panel(knobs=3)
    assert checker(Share)("x", 1) == 1.0
    with pytest.raises(InputError, match=r"^x is 2, must be a number in \[0, 1\]$"):
        checker(Share)("x", 2)


def test_numbers_of_numpy_are_numbers():
    made = Knobs(count=np.int64(4), share=np.float32(0.25), pair=(0.25, np.float64(0.5)))
    assert made == Knobs(count=4, share=0.25)
    with pytest.raises(InputError, match=r"train\.knobs\.count is .*, must be an integer in \[1, 9\]"):
        Knobs(count=np.float32(2.5))


def test_types_in_words():
    assert described(Annotated[float, Field(ge=-1e30, lt=2.5)]) == "a number in [-1e+30, 2.5)"
    assert described(tuple[Share, ...]) == "values, each a number in [0, 1]"
    assert described(int | None) == "an integer in [-inf, inf] or None"


def test_values_are_shown_on_one_line():
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert shortened(deep) == "a list nested too deeply to be shown"
    assert shortened("a\nb") == "'a\\nb'"
    assert len(shortened("x" * 1000)) == 100
    assert printable("é\x1b[2J\ud800") == "é\\x1b[2J\\ud800"


def test_every_configuration_of_an_experiment_is_checked():
    found = {kind for kind in dataclasses_within(Experiment) if kind is not Experiment}
    assert all(issubclass(kind, Configuration) for kind in found)
    assert {kind.__name__ for kind in configurations()} >= {"TrainConfig", "ImageModelConfig", "RayModelConfig"}


@pytest.mark.parametrize("kind", configurations(), ids=lambda kind: kind.__name__)
def test_every_number_has_a_range(kind):
    for name, found, _ in numbers(kind):
        for interval in found:
            assert math.isfinite(interval.low), f"{kind.__name__}.{name} has no least value"
            assert math.isfinite(interval.high), f"{kind.__name__}.{name} has no highest value"


@pytest.mark.parametrize(("kind", "field", "value"), cases())
def test_every_number_is_in_its_range_or_refused_with_it(kind, field, value):
    allowed = list(intervals(hints_of(kind)[field]))
    within = all(one in allowed[0] for one in (value if isinstance(value, tuple) else (value,)))
    made, message = None, ""
    try:
        made = changed(example(kind), **{field: value})
    except InputError as error:
        message = str(error)
    if made is not None:
        assert within
        assert getattr(made, field) == pytest.approx(value, rel=1e-15)
    else:
        assert field in message
        assert "\n" not in message
        if not within:  # else it does not suit another field
            assert f"{field} is {shortened(value)}, must be" in message
            assert str(allowed[0]) in message


class Captured(Exception):
    """Carries the options of a verb."""


WORDS = {"generate": ["spheres"], "train": ["demo"], "show": ["demo"]}


def options_of_verbs(monkeypatch) -> dict[str, type]:
    cli = tyro.cli

    def capture(options, return_unknown_args=False, **arguments):
        if return_unknown_args:  # of `train`, which reads some first
            return cli(options, return_unknown_args=True, **arguments)
        raise Captured(options)

    monkeypatch.setattr(tyro, "cli", capture)
    found = {}
    for name, verb in {**VERBS, **ACTIONS}.items():
        if name != "experiments":
            with pytest.raises(Captured) as captured:
                verb(WORDS.get(name, []))
            found[name] = captured.value.args[0]
    return found


def test_every_number_of_every_verb_has_a_range(monkeypatch):
    options = options_of_verbs(monkeypatch)
    assert {"generate", "train", "cooldown", "evaluate", "render", "compare"} <= options.keys()
    counted = 0
    for verb, kind in options.items():
        assert issubclass(kind, Configuration), verb
        for name, found, _ in numbers(kind):
            counted += 1
            check = checker(hints_of(kind)[name])
            for value in TRIED:
                assert math.isfinite(found[0].low)
                assert math.isfinite(found[0].high)
                if value in found[0]:
                    assert check(name, value) == value
                else:
                    with pytest.raises(InputError) as error:
                        check(name, value)
                    assert f"{name} is {shortened(value)}, must be" in str(error.value)
                    assert str(found[0]) in str(error.value)
    assert counted >= 8


BENCHMARKS = sorted((Path(luxel.__file__).parents[2] / "benchmarks").glob("*.py"))
BENCHMARKS = [script for script in BENCHMARKS if script.stem not in ("gpu", "training_step")]  # which do without tyro


@pytest.mark.parametrize("script", BENCHMARKS, ids=lambda script: script.stem)
def test_every_number_of_every_benchmark_has_a_range(script, monkeypatch):
    module = ModuleType(script.stem)
    monkeypatch.setitem(sys.modules, script.stem, module)  # where dataclasses look their types up
    exec(compile(script.read_text(), script, "exec"), vars(module))
    assert issubclass(module.Options, Configuration)
    for name, found, _ in numbers(module.Options):
        for interval in found:
            assert math.isfinite(interval.low), f"{name} has no least value"
            assert math.isfinite(interval.high), f"{name} has no highest value"
    module.Options()


def test_experiments_survive_json():
    """Every value that the log's experiments use is in its range."""
    for entry in EXPERIMENTS.values():
        for scale in SCALES:
            made = entry.make(scale)
            assert Experiment.from_json(made.to_json()) == made
    values = made.to_json()
    values["train"]["optim"]["ema_decay"] = 2
    with pytest.raises(ValidationError, match="ema_decay"):
        Experiment.from_json(values)
    with pytest.raises(InputError, match=r"train\.optim\.lr_multiplier is nan, must be a number in \(0, 1e\+06\]"):
        with_optim(made, lr_multiplier=math.nan)


def test_the_walk_sees_a_new_field():
    assert [name for name, *_ in numbers(Knobs)] == ["count", "share", "when", "pair"]
    assert all(not inspect.isabstract(kind) and fields(kind) for kind in configurations())
