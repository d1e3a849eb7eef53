"""A folder with one of everything that a verb reads, all of it tiny and made by the verbs themselves."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import torch

from harness.verbs import call
from luxel.models.ray_model import RayModel, RayModelConfig

SCENE = """{"schema_version": 1, "background": [0.4, 0.5, 0.6],
"camera": {"position": [0, -5, 1], "look_at": [0, 0, 0]},
"objects": [{"shape": "sphere", "center": [0, 0, 0], "radius": 1, "material": {"roughness": 0.2}},
{"shape": "sphere", "center": [2, 0, 1], "radius": 0.5, "material": {"emission": [4, 5, 6]}}]}"""
GENERATE = ("--count", "24", "--width", "16", "--height", "16", "--spp", "2", "--test-share", "0.3")
FEW = ("--train.samples", "16", "--train.batch-size", "4", "--train.tests", "2", "--train.checkpoint-every", "2")
TRAIN = ("train", "standard_run", "--scale", "tiny", "--cpu", *FEW, "--train.optim.schedule.shape", "constant")
FIT = ("fit", "picture.exr", "--scene", "scene.json", "--free", "background", "--iterations", "2", "--model", "model")
COMPARE = ("experiments", "compare", "standard_run", "--scale", "tiny", "--cpu", "--out", "page")


def workplace(root: Path, compared: bool = True) -> Path:
    """In `root`: scene.json, picture.exr of it, data set "set", run "run", model "model", fit "fit".

    If `compared`, "page" and "runs", too.
    """
    shutil.copytree(made(), root, dirs_exist_ok=True)
    if compared:
        _do(COMPARE, root)
    return root


@cache
def made() -> Path:
    """A folder with all but the comparison, made once a process, until whose end it stays."""
    root = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, root)
    (root / "scene.json").write_text(SCENE)
    torch.manual_seed(0)
    model = RayModel(RayModelConfig(width=8))
    torch.nn.init.normal_(model.head.weight)  # else no other weight would count
    model.save_pretrained(root / "model")
    commands = [
        ("generate", "spheres", "--out", "set", *GENERATE),
        (*TRAIN, "--data", "set", "--out", "run"),
        ("render", "scene.json", "--model", "model", "--width", "5", "--out", "picture.exr"),
        (*FIT, "--out", "fit"),
    ]
    for command in commands:
        _do(command, root)
    return root


def _do(command: tuple[str, ...], root: Path) -> None:
    outcome = call(*command, cwd=root)
    assert outcome.code == 0, outcome.err[-2000:]
