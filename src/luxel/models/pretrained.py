"""What Luxel's models share: a folder of config.json and model.safetensors, and the way back from it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from luxel import InputError
from luxel.files.atomic import write_atomically, writing
from luxel.files.seal import opened, sealed
from luxel.files.tensors import read_tensors, write_tensors
from luxel.files.typed_json import validated

WEIGHTS = "model.safetensors"
ANOTHER = "train again with this version, or install the Luxel that wrote it"
AGAIN = "copy it again, or delete it and repeat the run's `luxel train` command"

MODEL_CARD = """---
{{ card_data }}
---

A Luxel model: scene in, HDR image out, for scenes like those that it was trained on. This folder is what
`luxel.pipeline.Renderer.from_pretrained` reads; the run folder that it came from says how it was trained.
"""


class Pretrained(nn.Module, PyTorchModelHubMixin, library_name="luxel", license="mit", model_card_template=MODEL_CARD):
    """A model made from one frozen `config`.

    `save_pretrained(folder)` writes config.json and model.safetensors, `from_pretrained(folder)` reads them. It
    raises InputError for a configuration of another version, and for weights that are damaged, not finite or not the
    configuration's.
    """

    config_type: ClassVar[type]
    """The configuration's dataclass."""
    config: Any

    @classmethod
    def _decode_arg(cls, expected_type: Any, value: Any) -> Any:
        """The mixin's way from config.json to arguments; it would leave what is nested as dictionaries."""
        if expected_type is cls.config_type:
            return validated(opened(value, "config.json"), cls.config_type, "config.json", ANOTHER)
        return super()._decode_arg(expected_type, value)

    @classmethod
    def _from_pretrained(cls, *, model_id: str, strict: bool = True, **arguments: Any) -> "Pretrained":
        """The mixin's loading, but strict, or weights that the file lacks stay random, and silent for a folder."""
        if not Path(model_id).is_dir():
            return super()._from_pretrained(model_id=model_id, strict=strict, **arguments)
        return cls._load_as_safetensor(cls(arguments["config"]), str(Path(model_id) / WEIGHTS), "cpu", strict)

    @classmethod
    def _load_as_safetensor(cls, model: Any, model_file: str, map_location: str, strict: bool) -> Any:
        """The mixin's reading of weights, of a folder or from the Hub, but checked."""
        path = Path(model_file)
        tensors, _ = read_tensors(path, AGAIN)
        check_finite(tensors, path)
        try:
            model.load_state_dict(tensors, strict=strict)
        except RuntimeError as error:
            problem = " ".join(str(error).split())
            raise InputError(f"{path}: not the weights of the model in config.json: {problem}; {ANOTHER}") from None
        return model.to(map_location).eval()

    def save_pretrained(
        self,
        save_directory: str | Path,
        *,
        config: Any = None,
        repo_id: str | None = None,
        push_to_hub: bool = False,
        model_card_kwargs: dict[str, Any] | None = None,
        **push_to_hub_kwargs: Any,
    ) -> str | None:
        """What the mixin writes, with a checksum in both, and each file whole or as it was.

        The mixin begins by deleting config.json, so that a full disk would take the model that was there.
        """
        folder, card_arguments = Path(save_directory), model_card_kwargs or {}
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "README.md").exists():
            write_atomically(folder / "README.md", str(self.generate_model_card(**card_arguments)).encode())
        values = asdict(self.config) if config is None else config
        write_atomically(folder / "config.json", json.dumps(sealed(values), sort_keys=True, indent=2).encode())
        write_tensors(folder / WEIGHTS, self.state_dict())
        if not push_to_hub:
            return None
        return self.push_to_hub(
            repo_id or folder.name, config=config, model_card_kwargs=card_arguments, **push_to_hub_kwargs
        )

    def save_half(self, folder: Path) -> None:
        """What `save_pretrained` writes, with weights in half precision, half as large; in use they are in single.

        Buffers, such as batch norm's statistics, stay as they are: they are few, and may be large numbers.
        """
        self.save_pretrained(folder)
        weights = dict(self.named_parameters())
        rounded = {name: value.half() if name in weights else value for name, value in self.state_dict().items()}
        check_finite(rounded, folder / WEIGHTS)
        write_tensors(folder / WEIGHTS, rounded)

    @classmethod
    def _load_as_pickle(cls, model: Any, model_file: str, map_location: str, strict: bool) -> NoReturn:
        """What the mixin does for a repository without safetensors."""
        raise InputError(f"{model_file}: weights are read from model.safetensors only, never from a pickle")


def check_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raise InputError, naming the first tensor that has a value which is not finite."""
    for name, value in tensors.items():
        if not value.isfinite().all():
            raise InputError(f"{path}: {name} is not finite: the run that it is of has diverged; train again")
