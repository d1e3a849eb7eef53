"""From a scene to its picture: `Renderer.from_pretrained("ray-small")(scene)`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from safetensors import SafetensorError

from luxel import InputError
from luxel.core.scene_batch import SceneBatch
from luxel.models.kinds import Model, load_model
from luxel.models.ray_model import RayModel
from luxel.scene.description import Camera, Scene

SHIPPED = Path(__file__).parent / "pretrained"
"""Folders of the models that come with the package, by name."""


class Renderer:
    """A trained model and the way in and out of it. The model is left in evaluation mode."""

    def __init__(self, model: Model, device: str | torch.device = "cpu") -> None:
        try:
            self.model = model.to(device).eval()
        except (RuntimeError, AssertionError) as error:  # torch says so in either way
            raise InputError(f"device {str(device)!r} is not to be had here: {error}") from error
        self.device = device

    @classmethod
    def from_pretrained(cls, folder: str | Path, device: str | torch.device = "cpu") -> "Renderer":
        """The renderer of a run folder (`runs/<group>/<name>`), of a folder that `save_pretrained` wrote, or by name.

        The package comes with `ray-small`. Raises InputError, naming the folder, if it is none of these or of another
        version.
        """
        weights = weights_folder(Path(folder))
        try:
            model = load_model(weights)
        except (ValueError, RuntimeError, TypeError, OSError, SafetensorError) as error:
            raise InputError(f"{weights}: not a model of this version of Luxel: {error}") from error
        return cls(model, device)

    @torch.inference_mode()
    def render(
        self, scenes: Sequence[Scene], width: int | None = None, height: int | None = None
    ) -> Float32[np.ndarray, "batch height width 3"]:
        """Linear radiance of the scenes in one pass. Row 0 is the top.

        A ray model renders any size, `width` or `height` alone a square, without both that of its configuration. The
        image model has one size, and knows spheres and ellipsoids alone. Raises InputError if it is asked for other
        ones, or there are no scenes.
        """
        if not scenes:
            raise InputError("no scenes: give at least one")
        batch = SceneBatch.of(scenes, self.device)
        if isinstance(self.model, RayModel):
            if any(side is not None and side < 1 for side in (width, height)):
                raise InputError(f"width is {width} and height {height}: both must be at least 1, or left out")
            return self.model(batch, width=width, height=height).cpu().numpy()
        size = self.model.config.width
        if (width or size, height or size) != (size, size):
            raise InputError(
                f"width is {width} and height {height}, but this model renders {size}×{size} alone; "
                "leave both out, or take a ray model"
            )
        check_shapes(scenes)
        return self.model(batch).cpu().numpy()

    def views(
        self, scene: Scene, cameras: Sequence[Camera], width: int | None = None, height: int | None = None
    ) -> Float32[np.ndarray, "cameras height width 3"]:
        """Linear radiance of one scene from several cameras; see `render`."""
        return self.render([scene.model_copy(update={"camera": camera}) for camera in cameras], width, height)

    def __call__(
        self, scene: Scene, width: int | None = None, height: int | None = None
    ) -> Float32[np.ndarray, "height width 3"]:
        """Linear radiance of one scene; see `render`."""
        return self.render([scene], width, height)[0]


def check_shapes(scenes: Sequence[Scene]) -> None:
    """Raise InputError for an object that an image model would take for another: see `luxel.models.tokens`."""
    for number, scene in enumerate(scenes):
        for index, item in enumerate(scene.objects):
            if item.shape not in ("sphere", "ellipsoid"):
                which = "" if len(scenes) == 1 else f"scene {number}: "
                raise InputError(
                    f"{which}objects[{index}].shape is {item.shape}, but an image model knows spheres and ellipsoids "
                    "alone; take a ray model"
                )


def weights_folder(folder: Path) -> Path:
    """The folder that holds config.json and model.safetensors: `folder`, `folder`/model for a run, or a shipped one.

    Raises InputError, naming the remedy, if none has weights.
    """
    for candidate in (folder / "model", folder, SHIPPED / folder):
        if (candidate / "model.safetensors").exists():
            return candidate
    names = ", ".join(sorted(path.parent.name for path in SHIPPED.glob("*/model.safetensors")))
    if not folder.exists():
        raise InputError(f"{folder} is neither a folder nor a model that comes with Luxel; those are: {names}")
    raise InputError(
        f"{folder} has no model.safetensors, nor has its folder model/: give a finished run "
        "(runs/<group>/<name>), or end an interrupted one by repeating its `luxel train` command; "
        f"models that come with Luxel: {names}"
    )
