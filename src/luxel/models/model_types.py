"""The kinds of model there are: from a configuration, or a folder, to the model."""

from pathlib import Path
from typing import Any, TypeAlias

from luxel import InputError
from luxel.configuration import shortened
from luxel.files.typed_json import read_json, validated
from luxel.models.image_model import ImageModel, ImageModelConfig
from luxel.models.pretrained import AGAIN, ANOTHER
from luxel.models.ray_model import RayModel, RayModelConfig

ModelConfig: TypeAlias = ImageModelConfig | RayModelConfig
Model: TypeAlias = ImageModel | RayModel


MODEL_TYPES: dict[str, type[Model]] = {"image": ImageModel, "ray": RayModel}
"""By what their configurations call themselves."""


def model_of(config: ModelConfig) -> Model:
    """A model of this configuration, with random weights."""
    return RayModel(config) if isinstance(config, RayModelConfig) else ImageModel(config)


def load_model(folder: Path) -> Model:
    """The model that `save_pretrained` wrote to a folder; raises as `Pretrained.from_pretrained` does."""
    path = folder / "config.json"
    values = read_json(path, dict[str, Any], AGAIN)
    kind = values.get("kind", "image")
    if kind not in MODEL_TYPES:
        raise InputError(f"{path}: kind is {shortened(kind)}, must be one of {', '.join(MODEL_TYPES)}; {ANOTHER}")
    return MODEL_TYPES[kind].from_pretrained(
        folder, config=validated(values, MODEL_TYPES[kind].config_type, str(path), ANOTHER)
    )
