"""Sizes of scenes before they are traced: of a data set's, or judged by a distribution's first few."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from data_folder import write_data_folder
from outside import under
from safetensors import safe_open
from tracer_scenes import ball

from luxel.data import shards as module
from luxel.experiments import EXPERIMENTS
from luxel.experiments.experiment import with_data
from luxel.experiments.scene_sizes import FIRST_SCENES, SceneSizes, scene_sizes
from luxel.scene import Distribution, MapSky, Scene

TINY = EXPERIMENTS["standard_run"].make("tiny")


@dataclass(frozen=True)
class UnderMaps(Distribution):
    """Scenes under so many maps of 2 × 4 texels, in turns."""

    maps: int = 20
    name: ClassVar[str] = "under_maps"

    def __call__(self, seed: int, index: int) -> Scene:
        sky = MapSky.of(np.full((2, 4, 3), 1 + index % self.maps))
        return under(ball(0, 0, 0, 1 + index / 8), sky=sky)


def under_maps(maps: int):
    return replace(TINY, data=replace(TINY.data, distribution=UnderMaps(maps), count=20, spp=2))


def test_the_most_objects_are_those_of_the_data_set_or_of_the_distributions_first_scenes(tmp_path):
    made = with_data(TINY, count=24, spp=2)
    sizes = [len(made.data.scene(index).objects) for index in range(24)]
    assert scene_sizes(made, None).most_objects == max(sizes[:FIRST_SCENES])
    assert scene_sizes(made, write_data_folder(tmp_path / "data", made.data)).most_objects == max(sizes)


@pytest.mark.parametrize(("maps", "scenes", "expected"), [(20, 1, 8), (20, 16, 16 * 8), (1, 16, 8)])
def test_the_texels_of_a_batch_are_those_of_its_different_maps(maps, scenes, expected, tmp_path):
    made = under_maps(maps)
    assert scene_sizes(made, None).texels_together(scenes) == expected
    data = write_data_folder(tmp_path / "data", made.data)
    shards = sorted(data.glob("*.safetensors"))
    there = min(scenes, len(shards) if maps == 1 else 20) * 8
    assert scene_sizes(made, data).texels_together(scenes) == there
    for path in shards[1:]:
        path.write_bytes(b"damaged")
    assert scene_sizes(made, data).texels_together(1) == 8
    assert scene_sizes(TINY, None).texels_together(scenes) == 0


def test_no_more_texels_are_expected_than_so_many_scenes_can_have():
    assert SceneSizes(3, (2, 8, 5), scenes_judged=8).texels_together(24) == 3 * 15
    assert SceneSizes(3, (2, 8, 5), scenes_judged=8).texels_together(1) == 8
    assert SceneSizes(3, (2, 8, 5)).texels_together(24) == 15
    assert SceneSizes(3, ()).texels_together(24) == 0


def test_every_shard_is_opened_once(tmp_path, monkeypatch):
    made, opened = under_maps(3), []
    data = write_data_folder(tmp_path / "data", made.data)
    monkeypatch.setattr(module, "safe_open", lambda path, **how: opened.append(path) or safe_open(path, **how))
    sizes = scene_sizes(made, data)
    assert [sizes.texels_together(scenes) for scenes in (1, 2)] == [8, 16]
    assert sorted(opened) == sorted(data.glob("*.safetensors"))
