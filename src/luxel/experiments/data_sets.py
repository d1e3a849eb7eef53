"""The data set that a model is evaluated on, or learns from, as `--data` names it: traced where need be."""

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from luxel import InputError
from luxel.data.generate import generate
from luxel.data.generate_settings import GenerateSettings, of_folder
from luxel.data.manifest import DataError, Manifest
from luxel.experiments.folders import data_folder
from luxel.experiments.run_config import PLACE, DataPlace, check_data, experiment_of, read_config
from luxel.files.atomic import check_folder
from luxel.files.typed_json import read_json
from luxel.models.model_types import ModelConfig
from luxel.models.ray_model import RayModelConfig
from luxel.scene.distributions import Mixed
from luxel.scene.folder import PREFIX

UNSEEN = GenerateSettings(Mixed(), count=32, seed=2_000_003, width=128, height=128, spp=256, test_share=1.0)
"""For ray models without data of their own: scenes of a seed that none was trained on."""
SPP = 256
"""Paths a pixel of the truth of a folder of scenes."""


def is_run(folder: Path) -> bool:
    """Whether it is a run folder, and not one of weights."""
    return (folder / "config.json").exists() and not (folder / "model.safetensors").exists()


@dataclass(frozen=True)
class EvaluationSet:
    """The data set whose test split a model is evaluated on."""

    folder: Path
    scenes: str = ""
    """Which they are, in words, where they are traced for this."""
    settings: GenerateSettings | None = None
    """Of what has to be traced; None: the folder is taken as it is."""

    def __str__(self) -> str:
        if self.settings is None:
            return str(self.folder)
        size = f"{self.settings.width}×{self.settings.height}, {self.settings.spp} spp"
        done = "traced already" if self._is_there() else "traced now, once"
        return f"{self.scenes}, {size}, {done}: {self.folder}"

    def traced(self) -> Path:
        """The folder, with its test split, which is traced, resumably, as far as it is not there."""
        if self.settings is not None:
            generate(self.settings, self.folder, splits=("test",))
        return self.folder

    def _is_there(self) -> bool:
        with suppress(DataError):
            return Manifest.load(self.folder).has_all_of("test")
        return False


def evaluation_set(model: Path, config: ModelConfig, data: str | None, **asked: int | None) -> EvaluationSet:
    """What a model is evaluated on.

    `data` is the folder of a data set, or scenes:DIR; without it, a run is evaluated on its own data and another ray
    model on UNSEEN. `asked` are width, height and spp of what is traced. Raises InputError where they cannot be had.
    """
    given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if "width" in given or "height" in given:
        side = given.get("width") or given["height"]
        given = {"width": side, "height": side, **given}
        if not isinstance(config, RayModelConfig) and (given["width"], given["height"]) != (config.width, config.width):
            raise InputError(
                f"width is {given['width']} and height is {given['height']}, but this model renders "
                f"{config.width}×{config.width} alone; leave them out, or take a ray model"
            )
    if data is not None and not data.startswith(PREFIX):
        if given:
            raise InputError(
                f"{next(iter(given))} is {next(iter(given.values()))}, but {data} is traced already; leave it out, or "
                f"give scenes to trace: --data {PREFIX}DIR"
            )
        check_folder(Path(data))
        return EvaluationSet(Path(data))
    if data is not None:
        sides = {"width": config.width, "height": config.width}
        settings = of_folder(data.removeprefix(PREFIX), **{**sides, "spp": SPP, **given}, test_share=1.0)
        scenes = f"{settings.count} scenes of {data.removeprefix(PREFIX)}"
    elif is_run(model) and not given:
        return EvaluationSet(data_of(model))
    elif is_run(model):
        check_data(model, experiment_of(model), None)
        settings = replace(experiment_of(model).data, **given)
        scenes = f"test scenes of {model}'s own {settings.distribution.name}"
    elif isinstance(config, RayModelConfig):
        settings = replace(UNSEEN, **given)
        scenes = f"{settings.count} unseen scenes of {settings.distribution.name}, as no --data was given"
    else:
        raise InputError(f"{model} does not say what it was tested on; give --data DIR, or --data {PREFIX}DIR")
    return EvaluationSet(data_folder(settings), scenes, settings)


def data_of(run: Path) -> Path:
    """The data set of a run folder: where it was trained, or where its experiment's is made.

    Raises DataError if it is in neither place.
    """
    hash_of_test = read_config(run)["data"]["test_set"]
    places = [data_folder(experiment_of(run).data)]
    if (run / PLACE).exists():
        places.insert(0, Path(read_json(run / PLACE, DataPlace, "delete it")["folder"]))
    for place in places:
        with suppress(DataError):
            if Manifest.load(place).content_hash("test") == hash_of_test:
                return place
    raise DataError(f"{run}: its data set is not in {' nor in '.join(map(str, places))}; give it with --data")


def training_set(data: str, settings: GenerateSettings) -> Path:
    """The folder of a data set, which `data` is or, as scenes:DIR, is traced by these settings, but of all its scenes.

    Scenes are in test, or in train, by their ids. Raises InputError for scenes:DIR where several processes train.
    """
    if not data.startswith(PREFIX):
        check_folder(Path(data))
        return Path(data)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError(
            f"several processes share one data set: make it first, `luxel generate {data} --out DIR`, and give it with "
            "--data DIR"
        )
    kept = ("width", "height", "spp", "max_depth", "seed", "tracer", "variant", "test_share", "val_share")
    of_scenes = of_folder(data.removeprefix(PREFIX), **{name: getattr(settings, name) for name in kept})
    folder = data_folder(of_scenes)
    generate(of_scenes, folder)
    return folder
