"""A small data set without a tracer: noise for images, for tests of what reads it."""

from pathlib import Path

import numpy as np

from luxel.data.generate_settings import GenerateSettings
from luxel.data.manifest import Manifest
from luxel.data.shards import write_shard
from luxel.data.split import SPLITS, split_of
from luxel.scene import Spheres, scene_id
from luxel.trace import Radiance

SETTINGS = GenerateSettings(Spheres(max_objects=5), count=60, seed=3, width=7, height=5, spp=2, test_share=0.3)
SHARD = 11


def write_data_folder(root: Path, settings: GenerateSettings = SETTINGS) -> Path:
    """Shards of 11 scenes, a complete manifest; returns `root`."""
    root.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(settings.flat())
    scenes = [settings.distribution(settings.seed, index) for index in range(settings.count)]
    random = np.random.default_rng(0)
    for split in SPLITS:
        own = [scene for scene in scenes if split_of(scene_id(scene), settings.shares) == split]
        for number, start in enumerate(range(0, len(own), SHARD)):
            part = own[start : start + SHARD]
            images = random.random((2, len(part), settings.height, settings.width, 3), np.float32)
            manifest = manifest.including(write_shard(root, split, number, part, Radiance(*images, 2)))
    manifest.save(root)
    return root
