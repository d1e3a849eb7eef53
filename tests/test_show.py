import json

from luxel.experiments import EXPERIMENTS
from luxel.experiments.show import list_experiments, show_experiment
from luxel.models.image_model import ImageModel


def test_the_list_has_every_experiment_under_its_group():
    lines = list_experiments().splitlines()
    for name, entry in EXPERIMENTS.items():
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert entry.summary in line
        groups = [other for other in lines[: lines.index(line)] if other and not other.startswith(" ")]
        assert groups[-1] == entry.group


def test_one_experiment_in_full():
    entry = EXPERIMENTS["just_image_to_seq"]
    text = show_experiment(entry, "tiny")
    start, end = text.index("{"), text.index("\n\ndiffers from")
    assert json.loads(text[start:end]) == entry.make("tiny").to_json()
    assert "model.image_to_seq: None → " in text
    parameters = sum(parameter.numel() for parameter in ImageModel(entry.make("tiny").model).parameters())
    total = text.splitlines()[-1].split()
    assert total[0] == "total"
    assert int(total[1].replace(",", "")) == parameters
