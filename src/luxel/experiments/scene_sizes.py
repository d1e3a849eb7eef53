"""How large an experiment's scenes are, for estimates of memory before anything is traced."""

from contextlib import suppress
from math import ceil
from pathlib import Path

from luxel.data.manifest import DataError, Manifest
from luxel.data.shards import ShardReader
from luxel.experiments.experiment import Experiment
from luxel.scene.description import MapSky, Scene

FIRST_SCENES = 8
"""Of a distribution, by which the size of its scenes is judged before any is traced."""


def most_objects(experiment: Experiment, data: Path | None) -> int:
    """The most objects that one scene has: of the data set in a folder, else among the distribution's first few."""
    if data is not None:
        return max([shard.objects for shard in Manifest.load(data).shards], default=0)
    return max(len(scene.objects) for scene in first_scenes(experiment))


def texels_together(experiment: Experiment, data: Path | None, scenes: int) -> int:
    """About the most texels that the different environment maps of so many scenes have, judged as `most_objects` is."""
    if data is not None:
        maps = [texels for shard in Manifest.load(data).shards for texels in texels_in_shard(data / shard.file)]
    else:
        skies = [scene.sky for scene in first_scenes(experiment) if isinstance(scene.sky, MapSky)]
        maps = list({sky.sha256: sky.map.texels.size // 3 for sky in skies}.values())
        if len(maps) > 1:  # then others may have others
            maps *= ceil(scenes / FIRST_SCENES)
    return min(sum(maps), scenes * max(maps, default=0))


def first_scenes(experiment: Experiment) -> list[Scene]:
    """The distribution's first few."""
    return [experiment.data.scene(index) for index in range(min(FIRST_SCENES, experiment.data.count))]


def texels_in_shard(path: Path) -> list[int]:
    """How many each map has; of a shard that cannot be read, which others will tell or mend, none."""
    with suppress(DataError):
        return ShardReader(path).texels_of_maps
    return []
