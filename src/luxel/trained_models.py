"""Trained models by name: those that come with Luxel, runs' and other folders, and the Hugging Face Hub's."""

from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError

from luxel import InputError
from luxel.configuration import did_you_mean

HUB = "hf-hub:"
"""What the name of a model on the Hugging Face Hub begins with: hf-hub:OWNER/NAME, as timm has it."""
SHIPPED = Path(__file__).parent / "pretrained"
"""Folders of the models that come with the package, by name."""
BLENDER = "blender"
"""The folder, beside a model's weights, of the network that blends its pictures with paths."""


def find_weights(name: str) -> Path:
    """The folder of a model's config.json and weights: of a run, by the name of a model that ships, or of the Hub's."""
    return downloaded(name) if name.startswith(HUB) else weights_folder(Path(name))


def downloaded(name: str) -> Path:
    """The folder of a model on the Hugging Face Hub, in its cache. Raises InputError if it cannot be had."""
    try:
        found = snapshot_download(
            name.removeprefix(HUB), allow_patterns=["config.json", "model.safetensors", f"{BLENDER}/*"]
        )
    except (OSError, ValueError, HfHubHTTPError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{name}: cannot be downloaded: {reason}; the form is {HUB}OWNER/NAME") from error
    return weights_folder(Path(found))


def weights_folder(folder: Path) -> Path:
    """The folder that holds config.json and model.safetensors: `folder`, `folder`/model for a run, or a shipped one.

    Raises InputError, naming the remedy, if none has weights.
    """
    for candidate in (folder / "model", folder, SHIPPED / folder):
        if (candidate / "model.safetensors").exists():
            return candidate
    if folder.is_file():
        raise InputError(f"{folder} is a file; give the folder of a model, the run's or that of its model.safetensors")
    shipped = sorted(path.parent.name for path in SHIPPED.glob("*/model.safetensors"))
    names = ", ".join(shipped)
    if not folder.exists():
        guess = did_you_mean(str(folder), shipped)
        raise InputError(f"{folder} is neither a folder nor a model that comes with Luxel; those are: {names}{guess}")
    raise InputError(
        f"{folder} has no model.safetensors, nor has its folder model/: give a finished run "
        "(runs/<group>/<name>), or end an interrupted one by repeating its `luxel train` command; "
        f"models that come with Luxel: {names}"
    )
