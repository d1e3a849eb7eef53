from dataclasses import replace
from pathlib import Path

import pytest
from data_folder import SETTINGS, write_data_folder

from luxel.data.manifest import DataError
from luxel.experiments import EXPERIMENTS
from luxel.experiments.run import data_folder, experiment_of, run
from luxel.train.run_folder import RunFolderError, read_json

TINY = EXPERIMENTS["standard_run"].make("tiny")
QUICK = replace(TINY, train=replace(TINY.train, samples=64, tests=1))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_trains_on_traced_scenes(name, tmp_path: Path, monkeypatch):
    """Two steps on eight scenes that Mitsuba traces; the same call again finds the run finished."""
    monkeypatch.chdir(tmp_path)
    tiny = EXPERIMENTS[name].make("tiny")
    data = replace(tiny.data, count=8, spp=2, test_share=0.5)
    quick = replace(tiny, data=data, train=replace(tiny.train, samples=8, batch_size=4, tests=1))
    result = run(quick, tmp_path / "run", cpu=True)
    assert result["status"] == "finished"
    assert result["steps"] == 2
    assert experiment_of(tmp_path / "run") == quick
    assert (data_folder(data) / "manifest.json").exists()
    assert run(quick, tmp_path / "run", cpu=True) == result


def test_the_run_remembers_which_data_it_saw(tmp_path: Path):
    data = write_data_folder(tmp_path / "data", replace(SETTINGS, width=16, height=16))
    run(QUICK, tmp_path / "run", data, cpu=True)
    recorded = read_json(tmp_path / "run" / "config.json")["data"]
    assert recorded["seed"] == SETTINGS.seed
    assert len(recorded["test_set"]) == 64
    other = write_data_folder(tmp_path / "other", replace(SETTINGS, width=16, height=16, seed=4))
    with pytest.raises(RunFolderError, match=r"data\.seed: 3 there, 4 now"):
        run(QUICK, tmp_path / "run", other, cpu=True)


def test_images_of_another_size_are_refused(tmp_path: Path):
    data = write_data_folder(tmp_path / "data")
    with pytest.raises(DataError, match="its images are 7×5, the model's 16×16"):
        run(QUICK, tmp_path / "run", data, cpu=True)
    assert not (tmp_path / "run").exists()


def test_other_settings_live_in_another_folder():
    assert data_folder(TINY.data) == data_folder(TINY.data)
    assert data_folder(TINY.data) != data_folder(replace(TINY.data, seed=1))


def test_a_folder_that_is_no_run_is_said_to_be_none(tmp_path: Path):
    with pytest.raises(RunFolderError, match=r"config\.json: not the configuration of a run"):
        experiment_of(tmp_path)
