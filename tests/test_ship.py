import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from luxel import InputError, Renderer
from luxel.experiments.experiment import EXPERIMENTS, Experiment, enter, with_data, with_train
from luxel.experiments.run import run
from luxel.files.typed_json import write_json
from luxel.ledger.ship import Options, command_of, ship
from luxel.models.model_types import model_of
from luxel.scene.distributions import Spheres


@pytest.fixture(scope="module")
def shipped(tmp_path_factory) -> tuple[Path, Path]:
    """The folder of a short run, and that of the model that became of it."""
    place = tmp_path_factory.mktemp("shipped")

    def short(scale: str) -> Experiment:
        """A few steps."""
        tiny = EXPERIMENTS["no_base_transformer"].make("tiny")
        return with_train(with_data(tiny, count=24, spp=4, test_share=0.5), samples=32, tests=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        enter(short, "luxel", "2026-11-27", None, short)
        try:
            run(short("tiny"), place / "run", cpu=True)
            ship(Options(place / "run", place / "name-16"))
        finally:
            del EXPERIMENTS["short"]
    return place / "run", place / "name-16"


def test_weights_are_in_half_and_what_computes_with_them_is_not(shipped):
    trained, folder = shipped
    exact, ours = Renderer.from_pretrained(trained), Renderer.from_pretrained(folder)
    stored = load_file(folder / "model.safetensors")
    statistics = {name for name in stored if "running" in name}
    assert {stored[name].dtype for name in statistics} == {torch.float32}
    assert {value.dtype for name, value in stored.items() if name in dict(ours.model.named_parameters())} == {
        torch.float16
    }
    assert {weight.dtype for weight in ours.model.parameters()} == {torch.float32}
    scenes = [Spheres()(1, index) for index in range(3)]
    expected, pictures = exact.render(scenes), ours.render(scenes)
    assert 0 < abs(pictures - expected).max() < 1e-2 * expected.max()


def test_the_card_says_what_the_runs_files_say(shipped):
    trained, folder = shipped
    card, result = (folder / "README.md").read_text(), json.loads((trained / "result.json").read_text())
    (file,) = trained.glob("evaluation-*.json")
    evaluation = json.loads(file.read_text())
    assert card.startswith("---\nlibrary_name: luxel\n")
    assert "# name-16" in card
    assert f"| {result['parameters']:,} parameters" in card
    assert "`luxel train short --scale tiny`" in card
    assert f"| training | {result['samples']} pictures, batches of 16, fp32, loss `perceptual`, seed 0 |" in card
    metrics = evaluation["metrics"]
    assert f"| PSNR, dB | {metrics['psnr']['mean']:.4g} | {metrics['psnr']['low']:.4g} – " in card
    assert f"hash {evaluation['test_set'][:16]}" in card
    assert not re.search(r"[{}]|None|nan", card.split("---\n", 2)[2])


def test_what_no_command_repeats_or_has_diverged_is_not_shipped(shipped, tmp_path: Path):
    trained, _ = shipped
    made = EXPERIMENTS["no_base_transformer"].make("tiny")
    assert command_of(made, trained) == "luxel train no_base_transformer --scale tiny"
    with pytest.raises(InputError, match="was changed from the command line"):
        command_of(replace(made, train=replace(made.train, samples=77)), trained)
    result = json.loads((trained / "result.json").read_text())
    for path in trained.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    write_json(tmp_path / "result.json", {**result, "status": "diverged", "diagnosis": "loss spike"})
    with pytest.raises(InputError, match="diverged, loss spike"):
        ship(Options(tmp_path, tmp_path / "name"))


def test_log_64_fits_into_the_package():
    """12 MB, two bytes a parameter."""
    made = EXPERIMENTS["log_64"].make("medium")
    with torch.device("meta"):
        model = model_of(made.model)
    assert 2 * sum(weight.numel() for weight in model.parameters()) < 11.5e6
