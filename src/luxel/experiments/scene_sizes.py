"""How large an experiment's scenes are, for estimates of memory before anything is traced."""

from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from luxel.data.manifest import DataError, Manifest
from luxel.data.shards import ShardReader
from luxel.experiments.experiment import Experiment
from luxel.scene.description import MapSky

FIRST_SCENES = 8
"""Of a distribution, by which the size of its scenes is judged before any is traced."""


@dataclass(frozen=True)
class SceneSizes:
    """Of a data set that is there, or as a distribution's first few scenes let expect."""

    most_objects: int
    """That one scene has."""
    maps: tuple[int, ...]
    """How many texels each different environment map has; of a data set one that two shards have counts twice."""
    scenes_judged: int | None = None
    """How many scenes these are the maps of, if others may have others."""

    def texels_together(self, scenes: int) -> int:
        """About the most texels that the different environment maps of so many scenes have."""
        times = ceil(scenes / self.scenes_judged) if self.scenes_judged and len(self.maps) > 1 else 1
        return min(times * sum(self.maps), scenes * max(self.maps, default=0))


def scene_sizes(experiment: Experiment, data: Path | None) -> SceneSizes:
    """Of the data set in a folder, whose shards are opened once, else of the distribution's first few scenes."""
    if data is not None:
        shards = Manifest.load(data).shards
        maps = tuple(texels for shard in shards for texels in texels_in_shard(data / shard.file))
        return SceneSizes(max([shard.objects for shard in shards], default=0), maps)
    scenes = [experiment.data.scene(index) for index in range(min(FIRST_SCENES, experiment.data.count))]
    skies = {scene.sky.sha256: scene.sky for scene in scenes if isinstance(scene.sky, MapSky)}
    maps = tuple(sky.map.texels.size // 3 for sky in skies.values())
    return SceneSizes(max(len(scene.objects) for scene in scenes), maps, FIRST_SCENES)


def texels_in_shard(path: Path) -> list[int]:
    """How many each map has; of a shard that cannot be read, which others will tell or mend, none."""
    with suppress(DataError):
        return ShardReader(path).texels_of_maps
    return []
