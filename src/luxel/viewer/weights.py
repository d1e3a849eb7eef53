"""The network that the viewer shows: by name or folder, and the newest weights of a run that still trains."""

from contextlib import suppress
from pathlib import Path

from luxel import InputError
from luxel.configuration import cut
from luxel.files.tensors import read_tensors
from luxel.models.model_types import Model, model_of
from luxel.models.pretrained import ANOTHER, check_finite
from luxel.models.ray_model import RayModel
from luxel.pipeline import Renderer
from luxel.train.checkpoint import REMEDY, progress_in, without_prefix

AVERAGE = "average.module."
"""What names of the averaged weights begin with in a checkpoint: those that a run's model is made of in the end."""


class Weights:
    """A renderer, and whether there is a newer one: `poll` looks at the folder of a run."""

    def __init__(self, model: str, device: str = "cpu") -> None:
        self.name, self._device = model, device
        self._run = Path(model)
        self.step: int | None = None
        """Of the checkpoint that the weights are of; None for those of a run that has ended, or of no run."""
        self._source, self._stamp = self._newest()
        self.renderer = self._load()

    def __str__(self) -> str:
        name = self._run.name
        return name if self.step is None else f"{name}, step {self.step}"

    @property
    def fixed_side(self) -> int | None:
        """Width and height of an image model's pictures; None for a ray model, which renders any size."""
        model = self.renderer.model
        return None if isinstance(model, RayModel) else model.config.width

    def poll(self) -> bool:
        """Take newer weights, if there are any; whether there were. Raises InputError for damaged ones."""
        source, stamp = self._newest()
        if (source, stamp) == (self._source, self._stamp):
            return False
        self._source, self._stamp = source, stamp
        self.renderer = self._load()
        return True

    def _newest(self) -> tuple[Path | None, int]:
        """The newest file of weights of a run, and its time in ns; None for what is no run."""
        files = [self._run / "model" / "model.safetensors", self._run / "checkpoint.safetensors"]
        stamps = []
        for file in files:
            with suppress(OSError):  # it is not there, or not any more
                stamps.append((file.stat().st_mtime_ns, file))
        if not stamps:
            return None, 0
        stamp, newest = max(stamps, key=lambda pair: pair[0])
        return newest, stamp

    def _load(self) -> Renderer:
        if self._source is None or self._source.name != "checkpoint.safetensors":
            self.step = None
            return Renderer.from_pretrained(self.name, self._device)
        model, self.step = checkpointed_model(self._run)
        return Renderer(model, self._device)


def checkpointed_model(run: Path) -> tuple[Model, int]:
    """The averaged weights of a run's checkpoint as a model, and the checkpoint's step.

    Raises InputError, naming the file, for what is damaged or of another version.
    """
    from luxel.experiments.run_config import experiment_of  # seconds, which only a run that trains is worth

    model = model_of(experiment_of(run).model)
    checkpoint = run / "checkpoint.safetensors"
    tensors, metadata = read_tensors(checkpoint, REMEDY)
    average = without_prefix(tensors, AVERAGE)
    check_finite(average, checkpoint)
    try:
        model.load_state_dict(average)
    except RuntimeError as error:
        problem = cut(" ".join(str(error).split()), 200)
        raise InputError(f"{checkpoint}: not the weights of the model in config.json: {problem}; {ANOTHER}") from None
    return model, progress_in(metadata, checkpoint).step
