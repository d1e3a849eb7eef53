"""What a run folder says it was made from, and what is said where it says nothing that can be read."""

from pathlib import Path

import pytest
from records import DATA, ENVIRONMENT

from luxel.experiments import EXPERIMENTS
from luxel.experiments.run_config import experiment_of
from luxel.files.typed_json import write_json
from luxel.train.run_folder import RunFolderError

TINY = EXPERIMENTS["standard_run"].make("tiny")


def test_a_run_folder_of_another_version_is_one_line_with_the_remedy(tmp_path: Path):
    config = {"experiment": TINY.to_json(), "data": DATA}
    config["experiment"]["model"]["point_width"] = 3
    write_json(tmp_path / "config.json", config)
    message = (
        r"config\.json: model\.point_width is not a field of this version; train again with this version, or install "
    )
    with pytest.raises(RunFolderError, match=message + "the version of Luxel, which made it"):
        experiment_of(tmp_path)
    write_json(tmp_path / "environment.json", {**ENVIRONMENT, "commit": "0123456789abcdef"})
    with pytest.raises(RunFolderError, match=message + r"luxel 0\.0\.9 of commit 0123456789ab, which made it"):
        experiment_of(tmp_path)


WRONG = [
    (lambda config: [1, 2], r"its content is \[1, 2\]"),
    (lambda config: None, "its content is None"),
    (lambda config: {**config, "experiment": 3}, "experiment is 3"),
    (lambda config: {"experiment": config["experiment"]}, "data is missing"),
    (lambda config: {**config, "experiment": {**config["experiment"], "train": {}}}, r"train\.samples is missing"),
    (lambda config: {**config, "experiment": {**config["experiment"], "data": "x"}}, "data is 'x'"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_damaged_configuration_is_one_line(tmp_path: Path, change, message):
    write_json(tmp_path / "config.json", change({"experiment": TINY.to_json(), "data": DATA}))
    with pytest.raises(RunFolderError, match=rf"config\.json: {message}") as error:
        experiment_of(tmp_path)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_no_run_is_said_to_be_none(tmp_path: Path):
    with pytest.raises(RunFolderError, match=r"config\.json: cannot be read.*not the configuration of a run"):
        experiment_of(tmp_path)
