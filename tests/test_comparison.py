import math

import pytest
from records import record, seeds

from luxel import InputError
from luxel.ledger.comparison import mean_and_interval, plots, run_table, save_records


def test_a_spread_by_hand():
    """Three values: t is 4.303 with two degrees of freedom, so half an interval is 4.303 · 1 / √3."""
    assert mean_and_interval([1.0, 2.0, 3.0]) == "2 ± 2.5"
    assert mean_and_interval([0.0125]) == "0.0125"
    assert mean_and_interval([]) == "–"
    assert mean_and_interval([None, math.nan, 0.5]) == "0.5", "as a null in a file, or not finite"


def test_the_table_has_a_row_an_experiment():
    records = [*seeds("tanh", 0.01, 0.02, 0.03), record("use_exp", diagnosis="loss spike"), record("use_exp", 1, 0.5)]
    table = run_table(records)
    tanh, use_exp = (dict(zip(table.head, row, strict=True)) for row in table.rows)
    assert (tanh["experiment"], tanh["seeds"], tanh["training images"]) == ("tanh", "3", "400")
    assert tanh["precision"] == "fp32"
    assert tanh["perceptual loss"] == "0.02 ± 0.025"
    assert tanh["memory MiB"] == "512 ± 0"
    assert tanh["diverged"] == "0 of 3"
    assert use_exp["perceptual loss"] == "0.5", "of the seed that finished"
    assert tanh["test set"] == "abababab"
    assert use_exp["diverged"] == "1 of 2 (loss spike)"


def test_a_finished_run_tells_what_the_guard_noted():
    spiking = record("tanh")
    spiking.result["events"] = [{"step": 3, "diagnosis": "loss spike", "verdict": "go on"}]
    assert run_table([spiking]).rows[0][-1] == "0 of 1; noted: loss spike"


def test_a_file_in_the_records_place_is_named(tmp_path):
    (tmp_path / "records").write_text("notes")
    with pytest.raises(InputError, match=r"records: cannot be written: File exists"):
        save_records([record("tanh")], tmp_path / "records")


def test_four_plots_with_a_line_a_seed():
    found = plots(seeds("tanh", 0.01, 0.02) + seeds("use_exp", 0.03))
    assert set(found) == {(x, f"{kind} loss") for x in ("training images", "seconds") for kind in ("train", "test")}
    for lines in found.values():
        assert [(line.name, line.group) for line in lines] == [("tanh", 0), ("", 0), ("use_exp", 1)]
    assert found["seconds", "test loss"][0].x == pytest.approx([1, 2, 3, 4])
