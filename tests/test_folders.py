"""Where runs and data sets are, by all that decides them."""

from dataclasses import replace
from pathlib import Path

from data_folder import SETTINGS, write_data_folder

from luxel.data.manifest import Manifest
from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import with_optim, with_train
from luxel.experiments.folders import data_folder, run_folder
from luxel.trained_models import SHIPPED

TINY = EXPERIMENTS["standard_run"].make("tiny")


def test_other_settings_live_in_another_folder():
    assert data_folder(TINY.data) == data_folder(TINY.data)
    assert data_folder(TINY.data) != data_folder(replace(TINY.data, seed=1))


def test_a_data_set_is_found_where_an_earlier_version_or_another_device_made_it(tmp_path: Path, monkeypatch):
    """A folder's name depends on all that its manifest says; images of another device must all be there."""
    monkeypatch.chdir(tmp_path)
    where = data_folder(SETTINGS)
    assert data_folder(SETTINGS) == where
    former = write_data_folder(where.with_name(where.name[:-8] + "0a1b2c3d"))
    assert data_folder(SETTINGS) == former
    assert data_folder(replace(SETTINGS, seed=4)) != former, "which has the same name but for the hash"
    manifest = Manifest.load(former)
    version = str(manifest.settings["renderer"]).rpartition(" ")[0]
    other = {**manifest.settings, "renderer": f"{version} elsewhere"}
    replace(manifest, settings=other).save(former)
    assert data_folder(SETTINGS) == former
    replace(manifest, settings=other, shards=manifest.shards[1:]).save(former)
    assert data_folder(SETTINGS) == where


def test_a_run_has_a_folder_by_scale_seed_and_change():
    tanh = EXPERIMENTS["tanh"].make("tiny")
    assert run_folder("tanh", "tiny", tanh) == Path("runs/2020-05-30/tanh-tiny")
    assert run_folder("tanh", "tiny", with_train(tanh, seed=2)) == Path("runs/2020-05-30/tanh-tiny-seed2")
    slower, faster = (run_folder("tanh", "tiny", with_optim(tanh, lr_multiplier=factor)) for factor in (0.5, 2.0))
    assert slower.name.startswith("tanh-tiny-changed-")
    assert slower != faster
    assert run_folder("tanh", "tiny", tanh, SHIPPED / "ray-small").name.startswith("tanh-tiny-from-")
