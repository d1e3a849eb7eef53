"""Settings of data sets: what is refused, and what tells one from another."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import luxel
from luxel import InputError
from luxel.data.generate_settings import GenerateSettings, is_extension, same_images, scenes_a_job
from luxel.scene import Spheres

PATH = GenerateSettings(Spheres(max_objects=3), count=43, seed=2, width=7, height=5, spp=5)
RECORD = Path(luxel.__file__).parent.parent.parent / "docs" / "ledger" / "standard_run-small-seed0.json"


def test_a_job_on_a_cpu_is_seconds_of_work():
    big = replace(PATH, width=320, height=240, spp=128)
    assert scenes_a_job(replace(big, spp=4096)) == 1
    if not torch.cuda.is_available():
        assert scenes_a_job(big) == 3
        assert scenes_a_job(GenerateSettings()) == 256  # a whole shard: 32² of 128 paths


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("spp", 1, r"spp is 1, must be an integer in \[2, "),
        ("test_share", 1.5, "must be a number in"),
        ("count", 0, "count is 0"),
    ],
)
def test_settings_are_checked(name, value, message):
    with pytest.raises(ValueError, match=message):
        replace(PATH, **{name: value})


def test_settings_are_flat_as_they_were_before_there_were_two_tracers():
    """Else data sets made then would neither be found nor known to be complete."""
    record = json.loads(RECORD.read_text())
    names = {**record["experiment"]["data"], "distribution": Spheres(max_objects=4), "tracer": "mitsuba"}
    former = {name: value for name, value in record["data"].items() if name != "token_layout"}
    asked = GenerateSettings(**names).flat()
    assert {**asked, "renderer": "", "test_set": ""} == {**former, "renderer": "", "test_set": ""}


@pytest.mark.parametrize(
    ("name", "message"),
    [("torch", "which is path now"), ("torch_compiled", "which is path now"), ("pov", "must be path or mitsuba")],
)
def test_a_tracer_that_there_is_not_is_refused_with_those_there_are(name, message):
    """Past the type checker of tests, which users have not."""
    settings = copy.copy(PATH)
    object.__setattr__(settings, "tracer", name)
    with pytest.raises(InputError, match=f"tracer is '?{name}'?, {message}"):
        settings.__post_init__()


def test_more_scenes_of_the_same_settings_are_an_extension():
    there = PATH.flat()
    assert is_extension(there, replace(PATH, count=44).flat())
    for other in (PATH, replace(PATH, count=42), replace(PATH, count=44, spp=6)):
        assert not is_extension(there, other.flat())


def test_images_are_the_same_whatever_the_device():
    there = PATH.flat()
    elsewhere = {**there, "renderer": str(there["renderer"]).rpartition(" ")[0] + " elsewhere"}
    assert same_images(there, elsewhere)
    assert not same_images(there, {**elsewhere, "spp": 6})
