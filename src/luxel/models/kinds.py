"""The kinds of model there are: from a configuration, or a folder, to the model."""

import json
from pathlib import Path
from typing import TypeAlias

from luxel.models.image_model import ImageModel, ImageModelConfig
from luxel.models.ray_model import RayModel, RayModelConfig

ModelConfig: TypeAlias = ImageModelConfig | RayModelConfig
Model: TypeAlias = ImageModel | RayModel


KINDS: dict[str, type[Model]] = {"image": ImageModel, "ray": RayModel}
"""By what their configurations call themselves."""


def model_of(config: ModelConfig) -> Model:
    """A model of this configuration, with random weights."""
    return RayModel(config) if isinstance(config, RayModelConfig) else ImageModel(config)


def load_model(folder: Path) -> Model:
    """The model that `save_pretrained` wrote to a folder; raises as `Pretrained.from_pretrained` does."""
    config = json.loads((folder / "config.json").read_text())
    kind = config.get("kind", "image") if isinstance(config, dict) else None
    if kind not in KINDS:
        raise ValueError(f"config.json: kind is {kind!r}, must be one of {', '.join(KINDS)}")
    return KINDS[kind].from_pretrained(folder)
