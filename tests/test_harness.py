"""A tenth of `make harness`, or less of what is slow; and that the harness finds what it is for."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from harness import damage, kills, leaks, listed, scenes, workplace
from harness.report import Report
from harness.verbs import Outcome

SHARES = {scenes: 0.1, kills: 0.03, damage: 0.02, leaks: 0.05}


@pytest.mark.parametrize("part", SHARES, ids=lambda part: part.__name__)
def test_nothing_is_found_that_is_not_listed(part):
    report = Report(part.__name__)
    part.run(report, SHARES[part])
    assert not report.failed, "\n".join(report.failed)
    assert report.tried or part is kills, "which needs Linux"


def test_no_odd_value_of_an_option_is_found_that_is_not_listed():
    """In a process of its own, as the suite checks types before Luxel can."""
    command = [sys.executable, "-m", "harness", "--parts", "options", "--share", "0.02"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1])["options"]["tried"] > 20


def test_every_listed_fault_has_its_reason():
    assert all(len(reason) > 20 for reason in listed.LISTED.values())


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (Outcome("train", 0, "", ""), None),
        (Outcome("train", 2, "", "usage"), None),
        (Outcome("train", 1, "", "50 %\rluxel train: x.json: is missing\n"), None),
        (Outcome("train", 1, "", "oh"), "without a message"),
        (Outcome("train", 1, "", "luxel train: a\nb\n"), "told in 2 lines"),
        (Outcome("train", -1, "", "Traceback (most recent call last):\n  f\nKeyError: 3"), "traceback: KeyError: 3"),
        (Outcome("train", 9, "", ""), "exit code 9"),
    ],
)
def test_how_a_verb_ends_is_judged(outcome, problem):
    assert (outcome.problem is None) if problem is None else (problem in outcome.problem)


def test_a_scene_derives_from_its_number_alone():
    """As values that are put in are copies: later changes of them are that scene's."""
    numbers = range(1, 2001, 2)
    assert [scenes.content(number) for number in numbers] == [scenes.content(n) for n in numbers[::-1]][::-1]
    assert scenes.content(3, seed=1) != scenes.content(3, seed=2)


def test_a_picture_that_is_no_radiance_is_reported():
    report = Report("scenes")
    scene, _ = scenes.loaded(scenes.content(0))
    scenes.paint(report, {"black": lambda them: -np.ones((len(them), 8, 8, 3))}, [(0, scene)])
    assert report.failed == ["scene 0 by black: from -1.0 to -1.0"]
    scenes.paint(report, {"none": lambda them: 1 / 0}, [(0, scene)])
    assert "ZeroDivisionError" in report.failed[1]


def test_a_damage_that_goes_unnoticed_is_reported(monkeypatch):
    """As flipped bits would without checksums."""
    monkeypatch.setattr("luxel.files.tensors.digest", lambda *_: "x")
    monkeypatch.setattr(workplace, "made", workplace.made.__wrapped__)
    monkeypatch.setattr(damage, "READERS", {"model": damage.READERS["model"]})
    monkeypatch.setattr(damage, "DAMAGES", {"bit": damage.DAMAGES["bit 4 at 30%"]})
    report = Report("damage")
    damage.run(report)
    assert "render, model/model.safetensors bit: done, without a word, but wrong" in report.failed


def test_a_write_that_leaves_half_a_file_is_reported(tmp_path, monkeypatch):
    whole = kills.contents(tmp_path)
    (tmp_path / "out").mkdir()
    ends = iter([(0, 1, ""), (0, 1, "")])
    monkeypatch.setattr(kills, "forked", lambda *_: next(ends))
    (tmp_path / "out" / "image.png").write_bytes(b"half")
    assert kills.cut_and_repeated("png", tmp_path, kills.Cut("killed", call=1), {**whole, "image.png": b"whole"}) == (
        "image.png is neither whole nor missing"
    )


def test_what_has_grown_is_reported():
    before = {"MiB": 100.0, "files": 3.0}
    assert leaks.grown(before, {"MiB": 105.0, "files": 3.0}) is None
    assert leaks.grown(before, {"MiB": 190.0, "files": 4.0}) == "90 more MiB, 1 more files"
