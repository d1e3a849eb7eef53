import json
import math
import re
from pathlib import Path

import pytest
from records import DATA, ENVIRONMENT, record, result

from luxel import InputError
from luxel.files.typed_json import write_json
from luxel.ledger.record import POINTS, Curve, Record, collecting_errors, load_records, record_of


def test_a_record_survives_its_file(tmp_path: Path):
    made = record("tanh", seed=2)
    made.save(tmp_path / made.file)
    assert made.file == "tanh-small-seed2.json"
    assert load_records(tmp_path) == ([made], [])


def test_a_run_folder_becomes_a_record(tmp_path: Path):
    """250 steps, a test at every 50th; step 7 was skipped and has no loss."""
    rows = [{"step": n, "samples": 16 * n, "seconds": n / 10, "train_loss": 1 / n} for n in range(1, 251)]
    rows[6]["train_loss"] = None
    for row in rows[49::50]:
        row["test_loss"] = 2 / row["step"]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_json(tmp_path / "config.json", {"experiment": {"a": 1}, "data": DATA})
    write_json(tmp_path / "result.json", result())
    write_json(tmp_path / "environment.json", ENVIRONMENT)
    made = record_of(tmp_path, "tanh", "tiny", 1, {"psnr": 20.0}, "quoted so")
    assert (made.experiment, made.data) == ({"a": 1}, DATA)
    assert made.test == Curve([800, 1600, 2400, 3200, 4000], [5.0, 10.0, 15.0, 20.0, 25.0],
                              [0.04, 0.02, 0.01333, 0.01, 0.008])  # fmt: skip
    assert len(made.train.losses) <= POINTS
    assert made.train.samples[-1] == 4000
    first = made.train.samples[0] // 16
    assert made.train.losses[0] == pytest.approx(
        sum(1 / n for n in range(1, first + 1) if n != 7) / (first - 1), rel=1e-3
    )


def test_figures_by_hand():
    losses = [0.8, 0.4, 0.2, 0.1, 0.3, 0.1, 0.1, 0.05]
    made = record("tanh", train=Curve([], [], losses), test=Curve([], [], losses))
    assert made.figure("perceptual") == 0.01
    assert made.figure("train_loss") == pytest.approx(0.075), "the mean of the last two of eight"
    assert made.figure("overfitting") == pytest.approx(0.05 / 0.075)
    bends = [math.log(3), math.log(2)]  # the last four fall by a factor 3, 1 and 2
    assert made.figure("jumpiness") == pytest.approx(sum(bends) / 2)
    assert made.figure("beauty") is None


def test_a_steady_fall_is_not_jumpy():
    falling = record("tanh", test=Curve([], [], [0.8, 0.4, 0.2, 0.1, 0.05, 0.025]))
    assert falling.figure("jumpiness") == pytest.approx(0, abs=1e-9)


def test_a_figure_that_is_not_finite_is_none():
    assert record("tanh", metrics={"psnr": math.nan}).figure("psnr") is None


def test_a_file_that_is_no_record_is_named(tmp_path: Path):
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(InputError, match=r"broken\.json: name is missing \(and 10 more\); it is no record of a run"):
        Record.load(tmp_path / "broken.json")


def test_a_file_that_is_no_record_does_not_hide_the_others(tmp_path: Path):
    for name in ("tanh", "use_exp"):
        record(name).save(tmp_path / record(name).file)
    (tmp_path / "nested.json").write_text("[" * 100_000)
    records, (wrong,) = load_records(tmp_path)
    assert [one.name for one in records] == ["tanh", "use_exp"]
    assert str(wrong).startswith(f"{tmp_path}/nested.json: not valid JSON")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("data", {}, r"data\.distribution is missing \(and 6 more\)"),
        ("data", {**DATA, "width": "32 px"}, "data.width is '32 px': input should be a valid integer"),
        ("seed", -1, "seed is -1: input should be greater than or equal to 0"),
    ],
)
def test_a_wrong_field_of_a_record_is_named(tmp_path: Path, field, value, message):
    made = record("tanh")
    made.save(tmp_path / made.file)
    write_json(tmp_path / made.file, {**json.loads((tmp_path / made.file).read_text()), field: value})
    _, (wrong,) = load_records(tmp_path)
    assert re.match(rf"{tmp_path}/tanh-small-seed0\.json: {message}", str(wrong))


def test_a_copy_of_a_record_is_no_other_seed(tmp_path: Path):
    made = record("tanh")
    for name in (made.file, "tanh-small-seed1.json"):
        made.save(tmp_path / name)
    records, (wrong,) = load_records(tmp_path)
    assert records == [made]
    assert str(wrong).endswith("seed1.json: holds the record that belongs in tanh-small-seed0.json; rename it so, or "
                               "delete it")  # fmt: skip


def test_jumps_from_0_are_not_known(tmp_path: Path):
    assert record("tanh", test=Curve([], [], [0.4, 0.2, 0.1, 0.0])).figure("jumpiness") is None


def test_a_single_test_says_nothing_of_jumps():
    assert record("tanh", test=Curve([1], [1.0], [0.1])).figure("jumpiness") is None


@pytest.mark.parametrize(("train", "test"), [([], [0.1]), ([0.1], []), ([0.0], [0.1])])
def test_without_a_test_or_a_training_loss_overfitting_is_not_known(train, test):
    assert record("tanh", train=Curve([], [], train), test=Curve([], [], test)).figure("overfitting") is None


def test_diverged_is_what_the_result_says():
    assert record("tanh", diagnosis="loss spike").diverged
    assert not Record(**vars(record("tanh"))).diverged


def test_what_is_noted_names_its_file():
    wrong: list[InputError] = []
    for error in (InputError("x.json: a is 3"), PermissionError(13, "Permission denied", "y.json")):
        with collecting_errors(wrong):
            raise error
    assert [str(error) for error in wrong] == ["x.json: a is 3", "y.json: Permission denied"]
    with pytest.raises(KeyError), collecting_errors(wrong):
        raise KeyError("a mistake of the program")
