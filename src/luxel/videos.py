"""Data sets of videos after CATER: each rendered as a movie, with labels of every frame and all that happens in it.

    videos/NAME.mp4     scenes/NAME.json     animations/NAME.json     labels/NAME.tar

A tar holds, frame by frame, FRAME.npz and FRAME.json (`luxel.data.label_files`), which `LabelTar` reads.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from luxel import __version__
from luxel.configuration import Configuration, PathCount, Pixels, Seed, Share
from luxel.data.annotations import annotate
from luxel.data.export.cater_scenes import scene_entry
from luxel.data.flow import forward_flow
from luxel.data.folder_identity import FolderIdentity
from luxel.data.label_files import ALL_FRAME_LABELS, FrameLabelChoice, json_of
from luxel.data.label_tars import add_labels
from luxel.data.manifest import VIDEOS, Setting
from luxel.data.split import Shares, check_shares, split_of
from luxel.data.tars import new_tar
from luxel.files.atomic import check_writable_folder, only_one, write_atomically, writing
from luxel.image.formats import Stops
from luxel.movie.encode import check_even
from luxel.movie.film import Film
from luxel.movie.rendering import MovieSettings, render_movie
from luxel.pipeline import Renderer
from luxel.progress import ProgressBar
from luxel.scene.cater.video import FPS, Cater, CaterVideo

FOLDERS = {"videos": ".mp4", "scenes": ".json", "animations": ".json", "labels": ".tar"}


@dataclass(frozen=True)
class VideoSettings(Configuration):
    """What decides every byte of a data set of videos, beside the model."""

    distribution: Cater = Cater()
    count: Annotated[int, Field(ge=1, le=1_000_000)] = 16
    """Videos: numbers 0..count-1 of the distribution."""
    seed: Seed = 0
    """Of the videos and of the paths."""
    width: Pixels = 320
    height: Pixels = 240
    spp: PathCount = 4
    """Paths a pixel that every frame is blended with (docs/blending.md)."""
    exposure: Stops = 0.0
    """Stops by which all frames are brighter: 1 doubles radiance before it is clipped."""
    test_share: Share = 0.1
    """Share of the videos that are for testing."""
    val_share: Share = 0.0
    """Share of the videos that are for validation, beside those for testing."""
    labels: FrameLabelChoice = ALL_FRAME_LABELS
    """Of every frame: all, unless some are left out."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_shares(self.shares)
        check_even(self.width, self.height)

    @property
    def shares(self) -> Shares:
        """Of the videos, by split."""
        return Shares(self.test_share, self.val_share)

    def flat(self, renderer: Renderer) -> dict[str, Setting]:
        """Everything that another folder of the same bytes would share, by name."""
        absent = {"distribution", "labels"} | (set() if self.val_share else {"val_share"})
        settings = {name: value for name, value in asdict(self).items() if name not in absent}
        distribution = {"distribution": self.distribution.name, **asdict(self.distribution)}
        labels = " ".join(self.labels.chosen)
        return {**distribution, **settings, "labels": labels, "model": renderer.fingerprint(), "luxel": __version__}


def generate_videos(settings: VideoSettings, renderer: Renderer, out: str | Path) -> None:
    """Make the videos and their labels in the folder `out`, or what is missing of them.

    The call may be ended at any moment; the same call again goes on, within a video frame by frame. Raises InputError
    for a folder of anything else, and for parameters for which there is no room.
    """
    root = Path(out)
    check_writable_folder(root)
    identity = FolderIdentity(VIDEOS, "a set of videos", settings.flat(renderer))
    identity.check(root)
    with only_one(root):
        identity.save(root)
        with writing(root):
            for folder in FOLDERS:
                (root / folder).mkdir(exist_ok=True)
        for index in ProgressBar(range(settings.count), desc="videos", unit="video"):
            write_video(settings, renderer, root, index)


def files_of(root: Path, index: int) -> dict[str, Path]:
    """Where everything of a video is, by folder; names are CATER's."""
    return {folder: root / folder / f"CATER_new_{index:06d}{suffix}" for folder, suffix in FOLDERS.items()}


def write_video(settings: VideoSettings, renderer: Renderer, root: Path, index: int) -> None:
    """Write what is not there of one video."""
    files = files_of(root, index)
    if all(path.is_file() for path in files.values()):
        return
    video = settings.distribution(settings.seed, index)
    size = settings.width, settings.height
    animation = json.dumps(video.values).encode()
    split = split_of(hashlib.sha256(animation).hexdigest(), settings.shares)
    entry = scene_entry(video, index, split, files["videos"].name, *size)
    write_atomically(files["animations"], animation)
    write_atomically(files["scenes"], json_of(entry))
    if not files["videos"].is_file():
        movie = MovieSettings(*size, fps=FPS, spp=settings.spp, seed=settings.seed, exposure=settings.exposure)
        render_movie(renderer, Film(video.frames, video.scene), files["videos"], movie)
    if not files["labels"].is_file():
        write_labels(files["labels"], video, *size, settings.labels)


def write_labels(path: Path, video: CaterVideo, width: int, height: int, choice: FrameLabelChoice) -> None:
    """Write the labels of all frames, whole or not at all."""
    with new_tar(path) as tar:
        for frame in ProgressBar(range(video.frames), desc="labelling", unit="frame", leave=False):
            scene = video.scene(frame)
            labels = annotate(scene, width, height)
            if choice.flow and frame + 1 < video.frames:
                labels = replace(labels, flow=forward_flow(labels, scene, video.scene(frame + 1)))
            add_labels(tar, f"{frame:05d}", scene, labels, choice, frame=frame)
