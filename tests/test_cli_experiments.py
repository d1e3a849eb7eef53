"""`luxel experiments` as a user calls it."""

import re
from dataclasses import replace
from pathlib import Path

from command_line import call

from luxel.cli.options import DIVERGED
from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import with_data, with_train


def test_experiments_are_listed_with_their_outcomes_and_shown(capsys, monkeypatch, tmp_path, data):
    monkeypatch.chdir(tmp_path)
    explosive = ["--train.optim.learning-rate", "1e30", "--train.samples", "4096", "--data", data]
    assert call("train", "tanh", "--scale", "tiny", "--cpu", *explosive) == DIVERGED
    capsys.readouterr()
    assert call("experiments", "list") == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in EXPERIMENTS)
    assert re.search(r"→ tiny-changed-[0-9a-f]{6}: diverged \(loss or gradient not finite\)", printed)
    assert call("experiments", "show", "just_image_to_seq", "--scale", "tiny") == 0
    assert "MFLOP" in capsys.readouterr().out


def test_a_comparison_ends_with_a_page_and_its_findings(tmp_path, monkeypatch, capsys):
    """Two experiments at the tiny scale, of 64 pictures, then a page of findings from their records."""
    monkeypatch.chdir(tmp_path)
    for name in ("standard_run", "just_image_to_seq"):
        short = with_train(with_data(EXPERIMENTS[name].make("tiny"), count=24, spp=2), samples=64, tests=1)
        monkeypatch.setitem(EXPERIMENTS, name, replace(EXPERIMENTS[name], make=lambda scale, short=short: short))
    command = ["experiments", "compare", "standard_run", "just_image_to_seq", "--scale", "tiny", "--cpu"]
    assert call(*command, "--out", "page") == 0
    assert "| standard_run | 1 | fp32 | 64 |" in capsys.readouterr().out
    before = sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.glob("runs/*/*/model/*"))
    assert call(*command, "--out", "page") == 0
    assert sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.glob("runs/*/*/model/*")) == before
    assert call("experiments", "findings", "--records", "page/records", "--out", "findings.md") == 0
    assert "; one seed | tiny | undecided |" in Path("findings.md").read_text()
