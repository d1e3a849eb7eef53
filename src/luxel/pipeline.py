"""From a scene to its picture: `Renderer.from_pretrained(folder)(scene)`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from safetensors import SafetensorError

from luxel import InputError
from luxel.models.image_model import ImageModel
from luxel.scene.description import Scene
from luxel.scene.tokens import encode


class Renderer:
    """A trained model and the way in and out of it. The model is left in evaluation mode."""

    def __init__(self, model: ImageModel, device: str | torch.device = "cpu") -> None:
        try:
            self.model = model.to(device).eval()
        except (RuntimeError, AssertionError) as error:  # torch says so in either way
            raise InputError(f"device {str(device)!r} is not to be had here: {error}") from error
        self.device = device

    @classmethod
    def from_pretrained(cls, folder: str | Path, device: str | torch.device = "cpu") -> "Renderer":
        """The renderer of a run folder (`runs/<group>/<name>`) or of a folder that `save_pretrained` wrote.

        Raises InputError, naming the folder, if it is neither or of another version.
        """
        weights = weights_folder(Path(folder))
        try:
            model = ImageModel.from_pretrained(weights)
        except (ValueError, RuntimeError, TypeError, SafetensorError) as error:
            raise InputError(f"{weights}: not a model of this version of Luxel: {error}") from error
        return cls(model, device)

    @torch.no_grad()
    def render(
        self, scenes: Sequence[Scene], width: int | None = None, height: int | None = None
    ) -> Float32[np.ndarray, "batch height width 3"]:
        """Linear radiance of the scenes in one pass. Row 0 is the top.

        The image model has one size; InputError if `width` or `height` asks for another.
        """
        size = self.model.config.width
        if (width or size, height or size) != (size, size):
            raise InputError(
                f"this model renders {size}×{size}, not {width or size}×{height or size}; "
                "leave width and height out, or train one for that size"
            )
        tokens = encode(scenes)
        arrays = (tokens.objects, tokens.mask, tokens.camera, tokens.background)
        radiance = self.model(*(torch.from_numpy(array).to(self.device) for array in arrays))
        return radiance.cpu().numpy()

    def __call__(
        self, scene: Scene, width: int | None = None, height: int | None = None
    ) -> Float32[np.ndarray, "height width 3"]:
        """Linear radiance of one scene; see `render`."""
        return self.render([scene], width, height)[0]


def weights_folder(folder: Path) -> Path:
    """The folder that holds config.json and model.safetensors: `folder`, or `folder`/model for a run.

    Raises InputError, naming the remedy, if neither has weights.
    """
    for candidate in (folder / "model", folder):
        if (candidate / "model.safetensors").exists():
            return candidate
    raise InputError(
        f"{folder} has no model.safetensors, nor has its folder model/: give a finished run "
        "(runs/<group>/<name>), or end an interrupted one by repeating its `luxel train` command"
    )
