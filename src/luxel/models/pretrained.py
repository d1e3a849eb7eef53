"""What Luxel's models share: a folder of config.json and model.safetensors, and the way back from it."""

from pathlib import Path
from typing import Any, ClassVar, NoReturn

from huggingface_hub import PyTorchModelHubMixin
from pydantic import TypeAdapter
from safetensors.torch import load_model
from torch import nn

from luxel import InputError

MODEL_CARD = """---
{{ card_data }}
---

A Luxel model: scene in, HDR image out, for scenes like those that it was trained on. This folder is what
`luxel.pipeline.Renderer.from_pretrained` reads; the run folder that it came from says how it was trained.
"""


class Pretrained(nn.Module, PyTorchModelHubMixin, library_name="luxel", license="mit", model_card_template=MODEL_CARD):
    """A model made from one frozen `config`.

    `save_pretrained(folder)` writes config.json and model.safetensors, `from_pretrained(folder)` reads them. It
    raises pydantic's ValidationError for a configuration of another version and RuntimeError for weights that are
    not the configuration's.
    """

    config_type: ClassVar[type]
    """The configuration's dataclass."""

    @classmethod
    def _decode_arg(cls, expected_type: Any, value: Any) -> Any:
        """The mixin's way from config.json to arguments; it would leave what is nested as dictionaries."""
        if expected_type is cls.config_type:
            return TypeAdapter(cls.config_type).validate_python(value)
        return super()._decode_arg(expected_type, value)

    @classmethod
    def _from_pretrained(cls, *, model_id: str, strict: bool = True, **arguments: Any) -> "Pretrained":
        """The mixin's loading, but strict, or weights that the file lacks stay random, and silent for a folder."""
        if not Path(model_id).is_dir():
            return super()._from_pretrained(model_id=model_id, strict=strict, **arguments)
        model = cls(arguments["config"])
        load_model(model, Path(model_id) / "model.safetensors", strict=strict)
        return model.eval()

    @classmethod
    def _load_as_pickle(cls, model: Any, model_file: str, map_location: str, strict: bool) -> NoReturn:
        """What the mixin does for a repository without safetensors."""
        raise InputError(f"{model_file}: weights are read from model.safetensors only, never from a pickle")
