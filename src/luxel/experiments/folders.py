"""Where runs and data sets live, unless the user says otherwise."""

import json
from contextlib import suppress
from glob import escape
from hashlib import sha256
from pathlib import Path

from luxel.data.generate_settings import GenerateSettings, same_images
from luxel.data.manifest import DataError, Manifest
from luxel.experiments.experiment import EXPERIMENTS, Experiment, Scale, with_train
from luxel.files.atomic import checksum
from luxel.models.pretrained import WEIGHTS
from luxel.scene.folder import SceneFolder


def run_folder(name: str, scale: Scale, experiment: Experiment, start: Path | None = None) -> Path:
    """Where the run of an experiment lives, unless the user says otherwise: by seed, change and first weights."""
    seed = experiment.train.seed
    original = with_train(EXPERIMENTS[name].make(scale), seed=seed)
    digest = sha256(json.dumps(experiment.to_json(), sort_keys=True).encode()).hexdigest()[:6]
    ends = [f"seed{seed}"] * bool(seed) + [f"changed-{digest}"] * (experiment != original)
    if start is not None:
        ends.append(f"from-{checksum(start / WEIGHTS)[:6]}")
    return Path("runs") / EXPERIMENTS[name].group / "-".join([name, scale, *ends])


def data_folder(settings: GenerateSettings) -> Path:
    """Where the data set of these settings lives, unless the user says otherwise: in data/, of a SceneFolder beside it.

    If it is not where it would be made, one of the same images is taken: of another device, or an earlier version.
    """
    flat, size, scenes = settings.flat(), f"{settings.width}x{settings.height}", settings.distribution
    digest = sha256(json.dumps(flat, sort_keys=True).encode()).hexdigest()[:8]
    place = Path(scenes.folder).resolve() if isinstance(scenes, SceneFolder) else Path("data") / scenes.name
    stem = f"{place.name}-{size}-{settings.spp}spp-{settings.count}"
    folder = place.parent / f"{stem}-{digest}"
    if not folder.exists():
        for other in sorted(folder.parent.glob(f"{escape(stem)}-*")):
            with suppress(DataError):
                there = Manifest.load(other)
                if there.settings == flat or (there.is_complete and same_images(there.settings, flat)):
                    return other
    return folder
