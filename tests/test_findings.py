from pathlib import Path

import pytest
from records import record, seeds

import luxel
from luxel import InputError
from luxel.ledger.findings import write_findings
from luxel.ledger.log_claims import CLAIMS
from luxel.ledger.log_ideas import IDEAS

ROOT = Path(luxel.__file__).parent.parent.parent


def save(records, folder: Path) -> Path:
    for one in records:
        one.save(folder / one.file)
    return folder


def test_every_claim_has_a_row(tmp_path: Path):
    records = seeds("big_new_run", 1.0, 1.01, 1.02) + seeds("standard_run", 2.0, 2.01, 2.02)
    write_findings([save(records, tmp_path / "ledger")], tmp_path / "findings.md")
    page = (tmp_path / "findings.md").read_text()
    for claim in CLAIMS:
        assert f"| {claim.text} |" in page
    (row,) = [line for line in page.splitlines() if line.startswith("| Image→seq is critical |")]
    assert row.endswith("| small | holds | – |")
    assert "tone map clamp" in page
    assert "A processor, 2 cores" in page


def test_every_idea_has_a_row_with_its_cost(tmp_path: Path):
    records = seeds("longer", 1.0, 1.01, 1.02) + seeds("big_new_run", 2.0, 2.01, 2.02)
    write_findings([save(records, tmp_path / "ledger")], tmp_path / "findings.md")
    page = (tmp_path / "findings.md").read_text()
    rows = {idea.text: [line for line in page.splitlines() if line.startswith(f"| {idea.text} |")] for idea in IDEAS}
    assert all(len(lines) == 1 for lines in rows.values())
    (tried,), (not_tried,) = rows["Four times as long"], rows["No decay of the rate"]
    assert "| `longer`, `big_new_run` | 4.00 times | perceptual 1.99 (" in tried
    assert tried.endswith("| small | holds | – |")
    assert not_tried.endswith("| 1.00 times | not run | – | undecided | – |")


def test_all_scales_with_runs_are_shown_the_largest_first(tmp_path: Path):
    records = seeds("big_new_run", 1.0, 1.01, 1.02) + seeds("standard_run", 2.0, 2.01, 2.02)
    records += seeds("big_new_run", 1.0, scale="medium") + seeds("standard_run", 1.5, scale="medium")
    write_findings([save(records, tmp_path / "ledger")], tmp_path / "findings.md")
    page = (tmp_path / "findings.md").read_text()
    (row,) = [line for line in page.splitlines() if line.startswith("| Image→seq is critical |")]
    assert "| small | holds | medium: undecided, perceptual 1.5 times; one seed |" in row
    sections = [line for line in page.splitlines() if line.startswith("## ")]
    assert sections == [
        "## What the log meant to try",
        "## The runs at scale medium",
        "## The runs at scale small",
        "## What changes with scale",
    ]
    assert "Claims that are decided at two scales or more: 0; with verdicts that differ: 0." in page
    assert "Claims that are decided there: 0; artefacts: 0." in page


def test_the_closing_note_tells_verdicts_that_change_with_scale_and_artefacts(tmp_path: Path):
    records = seeds("standard_run", 2.0, 2.01, 2.02) + seeds("standard_run", 2.0, 2.01, 2.02, scale="full")
    records += seeds("big_new_run", 1.0, 1.01, 1.02) + seeds("big_new_run", 2.0, 2.01, 2.02, scale="full")
    records += seeds("just_image_to_seq", 1.0, 1.01, 1.02) + seeds("just_image_to_seq", 1.0, 1.01, 1.02, scale="full")
    write_findings([save(records, tmp_path / "ledger")], tmp_path / "findings.md")
    _, note = (tmp_path / "findings.md").read_text().split("## What changes with scale\n\n")
    assert note.splitlines() == [
        "- Claims that are decided at two scales or more: 2; with verdicts that differ: 1.",
        "  - Image→seq is critical: full does not hold, small holds",
        "- A conclusion of the log is called an artefact here if it does not hold at the log's own scale, full. "
        "Claims that are decided there: 2; artefacts: 1.",
        "  - Image→seq is critical",
    ]


def test_the_page_says_when_what_is_notable_was_fixed(tmp_path: Path):
    write_findings([save(seeds("tanh", 1.0), tmp_path / "ledger")], tmp_path / "findings.md")
    page = " ".join((tmp_path / "findings.md").read_text().split())
    assert "1.1 times, was chosen after runs at scale tiny and small had been seen" in page
    assert "fixed in `luxel.ledger.claims` since 2026-11-26, before any run at another scale" in page


def test_the_page_says_what_short_runs_cannot_tell(tmp_path: Path):
    """Full has 1.8 million images of 18 000 scenes in batches of 16; small 20 480 of 95 % of 8 192."""
    write_findings([save(seeds("tanh", 1.0), tmp_path / "ledger")], tmp_path / "findings.md")
    page = " ".join((tmp_path / "findings.md").read_text().split())
    assert "full has 112,500 steps, small 1,280 and tiny 48, so that none diverges at tiny says little" in page
    assert "each scene 100 times at full, 2.6 times at small, so that none overfits there says little, too" in page


def test_a_record_of_another_configuration_is_refused(tmp_path: Path):
    made = record("tanh")
    made.experiment["train"]["batch_size"] = 99
    with pytest.raises(InputError, match=r"tanh-small-seed0\.json: tanh has changed since"):
        write_findings([save([made], tmp_path)], tmp_path / "findings.md")


def test_a_field_that_is_newer_than_the_record_stands_for_its_default(tmp_path: Path):
    made = record("tanh")
    assert made.experiment["train"].pop("accumulate") == 1
    write_findings([save([made], tmp_path / "ledger")], tmp_path / "findings.md")
    assert "| tanh | 1 |" in (tmp_path / "findings.md").read_text()


def test_a_field_that_is_gone_makes_a_record_stale(tmp_path: Path):
    made = record("tanh")
    made.experiment["train"]["fancy"] = 1
    with pytest.raises(InputError, match="tanh has changed since"):
        write_findings([save([made], tmp_path)], tmp_path / "findings.md")


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path):
    stale = record("tanh")
    stale.experiment["train"]["batch_size"] = 99
    folder = save([*seeds("standard_run", 2.0, 2.01), stale], tmp_path / "ledger")
    (folder / "broken.json").write_text("null")
    with pytest.raises(InputError) as error:
        write_findings([folder], tmp_path / "findings.md")
    lines = str(error.value).splitlines()
    assert ["broken.json: its content is None" in lines[0], "tanh has changed since" in lines[1]] == [True, True]
    assert lines[2:] == [f"{tmp_path / 'findings.md'} is without them"]
    assert "| standard_run | 2 |" in (tmp_path / "findings.md").read_text()


def test_a_folder_without_records_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="holds no records"):
        write_findings([tmp_path], tmp_path / "findings.md")


def test_records_of_several_folders_make_one_page(tmp_path: Path):
    """As when a borrowed machine has made some: of what both have, the same, each seed counts once."""
    here = save(seeds("big_new_run", 1.0, 1.01, 1.02), tmp_path / "here")
    there = save(seeds("standard_run", 2.0, 2.01, 2.02) + seeds("big_new_run", 1.0, 1.01, 1.02), tmp_path / "there")
    write_findings([here, there], tmp_path / "findings.md")
    page = (tmp_path / "findings.md").read_text()
    assert f"from the records in `{here}`, `{there}`; do not edit" in page
    assert "| big_new_run | 3 |" in page
    (row,) = [line for line in page.splitlines() if line.startswith("| Image→seq is critical |")]
    assert row.endswith("| small | holds | – |")


def test_records_that_contradict_each_other_are_named_and_neither_is_taken(tmp_path: Path):
    here = save(seeds("tanh", 1.0, 1.01), tmp_path / "here")
    there = save([record("tanh", 1, 1.5)], tmp_path / "there")
    with pytest.raises(InputError) as error:
        write_findings([here, there], tmp_path / "findings.md")
    assert str(error.value).splitlines() == [
        f"{here}/tanh-small-seed1.json and {there}/tanh-small-seed1.json differ, and are of one run; delete one of "
        "them",
        f"{tmp_path / 'findings.md'} is without them",
    ]
    assert "| tanh | 1 |" in (tmp_path / "findings.md").read_text()


def test_a_stale_record_does_not_contradict_a_current_one(tmp_path: Path):
    stale = record("tanh")
    stale.experiment["train"]["batch_size"] = 99
    folders = [save([stale], tmp_path / "then"), save([record("tanh")], tmp_path / "now")]
    with pytest.raises(InputError, match=r"then/tanh-small-seed0\.json: tanh has changed since"):
        write_findings(folders, tmp_path / "findings.md")
    assert "| tanh | 1 |" in (tmp_path / "findings.md").read_text()


def test_the_repositorys_page_is_what_its_records_say(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(ROOT)
    write_findings([Path("docs/ledger")], tmp_path / "findings.md")
    assert (tmp_path / "findings.md").read_text() == (ROOT / "docs" / "findings.md").read_text()
