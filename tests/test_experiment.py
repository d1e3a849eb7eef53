from dataclasses import replace

import pytest

from luxel.experiments import EXPERIMENTS, Experiment
from luxel.experiments.experiment import experiment
from luxel.scene.distributions import Ellipsoids
from luxel.train.optim import Schedule

SCALES = ("tiny", "small", "full")


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.parametrize("scale", SCALES)
def test_a_configuration_survives_json(name, scale):
    made = EXPERIMENTS[name].make(scale)
    assert Experiment.from_json(made.to_json()) == made


def test_alternatives_survive_json():
    base = EXPERIMENTS["standard_run"].make("tiny")
    optim = replace(base.train.optim, schedule=Schedule("stable_decay", decay=0.3))
    changed = replace(base, data=replace(base.data, distribution=Ellipsoids(7)), train=replace(base.train, optim=optim))
    assert Experiment.from_json(changed.to_json()) == changed


@pytest.mark.parametrize("part", ["model", "train", "data"])
def test_a_field_from_elsewhere_is_refused(part):
    values = EXPERIMENTS["standard_run"].make("tiny").to_json()
    values[part]["fancy"] = 1
    with pytest.raises(ValueError, match="fancy"):
        Experiment.from_json(values)


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.parametrize("scale", SCALES)
def test_data_and_model_agree_on_the_size(name, scale):
    made = EXPERIMENTS[name].make(scale)
    assert made.model.width == made.data.width == made.data.height
    assert made.model.width == {"tiny": 16, "small": 32, "full": 128}[scale]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_says_what_it_is(name):
    entry = EXPERIMENTS[name]
    assert entry.name == name
    assert len(entry.summary) > 20


def test_a_name_is_taken_once():
    def demo(scale):
        return EXPERIMENTS["demo"].make(scale)

    with pytest.raises(ValueError, match="two experiments are called demo"):
        experiment("elsewhere")(demo)
