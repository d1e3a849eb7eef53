"""What a run folder says that it was made from: its experiment and its data set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, cast

from typing_extensions import TypedDict

from luxel import InputError
from luxel.data.generate_settings import same_images
from luxel.data.manifest import FORMER, DataError, Manifest, Setting, Settings
from luxel.experiments.experiment import Experiment, migrated
from luxel.files.typed_json import read_json, validated
from luxel.scene.registry import NAME_ITS_MODULE
from luxel.train.run_folder import RunFolderError, read_environment

PLACE = "data.json"
"""A run folder's file that says where its data set was when it was last trained: a `DataPlace`."""


class RunData(Settings):
    """The data set of a run: its settings and the hash of its test split."""

    test_set: str


class RunConfig(TypedDict):
    """A run folder's config.json."""

    experiment: dict[str, Any]
    data: RunData
    branch: NotRequired[str]
    """SHA-256 of the checkpoint that a cooldown began with."""
    start: NotRequired[str]
    """SHA-256 of the weights that a fine-tuning began with."""


class DataPlace(TypedDict):
    """A run folder's data.json."""

    folder: str


def experiment_of(run_folder: Path) -> Experiment:
    """The experiment that a run folder holds. Raises RunFolderError if it is not a run folder, or another version's."""
    values = migrated(read_config(run_folder)["experiment"])
    try:
        return validated(values, Experiment, str(run_folder / "config.json"))
    except InputError as error:
        if NAME_ITS_MODULE in str(error):  # which no version of Luxel has
            raise RunFolderError(str(error)) from error
        made_by = version_of(run_folder)
        raise RunFolderError(f"{error}; train again with this version, or install {made_by}, which made it") from error


def read_config(run_folder: Path) -> RunConfig:
    """What a run folder was made from. Raises RunFolderError, with file and field, if it is none."""
    path = run_folder / "config.json"
    try:
        return read_json(path, RunConfig)
    except InputError as error:
        raise RunFolderError(f"{error}; not the configuration of a run: name the folder of one") from error


def version_of(run_folder: Path) -> str:
    """The version of Luxel that made a run folder, as far as that is told."""
    try:
        made = read_environment(run_folder)
    except InputError:
        return "the version of Luxel"
    return f"luxel {made['luxel']}" + (f" of commit {made['commit'][:12]}" if made["commit"] else "")


def migrated_config(config: dict[str, Any]) -> dict[str, Any]:
    """A run folder's config.json as it would be written today."""
    data = config.get("data")
    if isinstance(data, dict):
        data = {name: value for name, value in data.items() if name not in FORMER}
    return {**config, "experiment": migrated(config.get("experiment")), "data": data}


def check_data(parent: Path, experiment: Experiment, data: Path | None) -> None:
    """Raise DataError unless `data`, or the experiment's own data set, is what the run folder was trained on."""
    recorded = read_config(parent)["data"]
    if data is None:
        asked = experiment.data.flat()
        settings = cast(Mapping[str, Setting], recorded)
        same = same_images({name: value for name, value in settings.items() if name in asked}, asked)
    else:
        same = Manifest.load(data).content_hash("test") == recorded["test_set"]
    if not same:
        raise DataError(
            f"{parent} was trained on other data than {data or 'its experiment generates'}; give it with --data"
        )
