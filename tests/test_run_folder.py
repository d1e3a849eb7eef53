import json
from pathlib import Path

import numpy as np
import pytest
from records import result
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from luxel import InputError
from luxel.experiments.run_config import migrated_config
from luxel.files import typed_json
from luxel.files.typed_json import read_json, write_json
from luxel.train.run_folder import RunFolder, RunFolderError, differences, read_metrics

CONFIG = {"model": {"width": 32, "layers": [1, 2]}, "loss": "mse"}


def test_the_folder_says_what_ran_where(tmp_path: Path):
    RunFolder(tmp_path / "run", CONFIG)
    assert read_json(tmp_path / "run" / "config.json") == CONFIG
    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert {"luxel", "commit", "torch", "python", "platform"} <= environment.keys()


def test_another_configuration_is_refused_and_nothing_is_lost(tmp_path: Path):
    RunFolder(tmp_path, CONFIG)
    other = {"model": {"width": 64, "layers": [1, 2]}, "loss": "mse"}
    with pytest.raises(RunFolderError, match=r"--out[\s\S]*model\.width: 32 there, 64 now"):
        RunFolder(tmp_path, other)
    assert read_json(tmp_path / "config.json") == CONFIG


@pytest.mark.parametrize("content", [{}, {"data": 3}, {"experiment": [], "data": None}])
def test_a_configuration_that_cannot_be_differs(tmp_path: Path, content):
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(RunFolderError, match="holds a run of another configuration"):
        RunFolder(tmp_path, CONFIG, migrated_config)


def test_differences_go_both_ways():
    assert differences({"a": 1, "b": {"c": 2}}, {"b": {"c": 2, "d": 3}}) == [("a", 1, None), ("b.d", None, 3)]


def test_resuming_forgets_what_came_after_the_checkpoint(tmp_path: Path):
    folder = RunFolder(tmp_path, CONFIG)
    folder.rewind(0)
    for step in (1, 2, 3):
        folder.log(step, 32 * step, 0.5 * step, train_loss=1 / step)
    folder.close()
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"step": 4, "samp')  # killed in the middle of a line
    again = RunFolder(tmp_path, CONFIG)
    again.rewind(2)
    again.log(3, 96, 9.0, train_loss=7.0)
    again.close()
    rows = read_metrics(tmp_path / "metrics.jsonl")
    assert [(row["step"], row["train_loss"]) for row in rows] == [(1, 1.0), (2, 0.5), (3, 7.0)]


def test_a_damaged_line_of_the_metrics_is_left_out_and_said_and_the_others_are_kept(tmp_path: Path, capsys):
    folder, path = RunFolder(tmp_path, CONFIG), tmp_path / "metrics.jsonl"
    for step in range(1, 7):
        folder.log(step, 32 * step, 0.5 * step, train_loss=1 / step)
    lines = path.read_bytes().splitlines()
    lines[1], lines[2], lines[4] = b'{"step": 2, "sam\xff', b"[3]", b'{"step": "five"}'
    path.write_bytes(b"\n".join([*lines, b'{"step": 7, "samp']))
    assert [row["step"] for row in read_metrics(path)] == [1, 4, 6]
    said = capsys.readouterr().err.splitlines()
    assert [line.partition("metrics.jsonl, ")[2].partition(":")[0] for line in said] == ["line 2", "line 3", "line 5"]
    assert "step is 'five'" in said[2]
    folder.rewind(4)
    folder.close()
    assert [row["step"] for row in read_metrics(path)] == [1, 4]


def test_a_log_that_no_training_wrote_is_refused_and_left_as_it_is(tmp_path: Path, monkeypatch):
    """By its size, or by a line without an end, which is never read whole."""
    folder, path = RunFolder(tmp_path, CONFIG), tmp_path / "metrics.jsonl"
    folder.log(1, 32, 0.5, train_loss=1.0)
    row = path.read_bytes()
    path.write_bytes(row + b"x" * (typed_json.MAX_LINE + 1))
    with pytest.raises(InputError, match=r"metrics\.jsonl, line 2: has more than 65536 bytes, .*; mend it, or delete"):
        folder.rewind(1)
    assert len(path.read_bytes()) == len(row) + typed_json.MAX_LINE + 1
    path.write_bytes(row + row.replace(b"1.0", b"1." + b"0" * (typed_json.MAX_LINE - len(row) - 1)))
    assert [line["step"] for line in read_metrics(path)] == [1, 1]
    monkeypatch.setattr(typed_json, "MAX_LINES_BYTES", 2 * len(row))
    with pytest.raises(InputError, match=r"metrics\.jsonl: has \d+ bytes, must have at most \d+; mend it"):
        read_metrics(path)
    path.unlink()
    assert read_metrics(path) == []
    path.mkdir()
    with pytest.raises(InputError, match=r"metrics\.jsonl: cannot be read: Is a directory; mend it"):
        read_metrics(path)


def test_only_a_last_line_without_its_end_is_left_out_without_a_word(tmp_path: Path, capsys):
    path, row = tmp_path / "metrics.jsonl", '{"step": 1, "samples": 2, "seconds": 3.0}'
    path.write_text(f'{row}\n{{"step": 2, "samp')
    assert len(read_metrics(path)) == 1
    assert capsys.readouterr().err == ""
    path.write_text(f'{row}\n{{"step": 2, "samp\n')
    assert len(read_metrics(path)) == 1
    assert "metrics.jsonl, line 2: not valid JSON" in capsys.readouterr().err
    path.write_text(f"{row}\n{row}")
    assert len(read_metrics(path)) == 2


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b"null", b"{", b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize("name", ["config.json", "result.json"])
def test_a_damaged_file_is_one_line(tmp_path: Path, name, content):
    RunFolder(tmp_path, CONFIG).finish(result())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        _ = RunFolder(tmp_path, CONFIG).result
    assert str(error.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "done"}, "status is 'done', must be 'finished' or 'diverged'"),
        ({"test_loss": "low"}, "test_loss is 'low': input should be a valid number.*"),
        ({"events": [{"step": 1}]}, r"events\[0\]\.diagnosis is missing \(and 1 more\)"),
    ],
)
def test_a_wrong_field_of_a_result_is_named(tmp_path: Path, change, message):
    write_json(tmp_path / "result.json", {**result(), **change})
    with pytest.raises(InputError, match=rf"result\.json: {message}; delete it, and repeat"):
        _ = RunFolder(tmp_path, CONFIG).result


def test_scalars_and_images_reach_tensorboard(tmp_path: Path):
    folder = RunFolder(tmp_path, CONFIG)
    folder.rewind(0)
    folder.log(5, 160, 1.0, test_loss=0.25)
    folder.log_images(5, "test", np.full((4, 6, 3), 128, np.uint8))
    folder.close()
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("test_loss")] == [(5, 0.25)]
    assert events.Images("test")[0].step == 5
    assert (tmp_path / "samples" / "test-0000005.png").exists()


def test_the_result_marks_the_end(tmp_path: Path):
    folder = RunFolder(tmp_path, CONFIG)
    assert folder.result is None
    folder.finish(result())
    assert RunFolder(tmp_path, CONFIG).result == result()
