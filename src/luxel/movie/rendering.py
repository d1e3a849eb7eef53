"""From scenes to a movie: each frame rendered once, kept until the movie is whole."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from luxel import InputError, InputWarning, __version__
from luxel.configuration import Configuration, PathCount, Pixels, Seed, checker, shortened
from luxel.files.atomic import check_writable, check_writable_folder, only_one
from luxel.files.exr import load_exr
from luxel.image.formats import Stops, save_image, to_bytes
from luxel.image.tonemap import tone_map
from luxel.movie.encode import check_even, write_mp4
from luxel.movie.film import FrameRate
from luxel.movie.frame_files import frame_file, identity_of, is_made, remove_frames, write_frame
from luxel.pipeline import Renderer
from luxel.progress import ProgressBar
from luxel.scene.description import Scene, scene_id

Pictures: TypeAlias = Literal["png", "exr"]
check_pictures = checker(Pictures | None)


@dataclass(frozen=True)
class MovieSettings(Configuration):
    """How a movie is rendered and shown. Exposure and tone map are the same in all frames, so that nothing pumps."""

    width: Pixels | None = None
    """In pixels; only a ray model can be asked for a size. Width or height alone makes a square. Even in an .mp4."""
    height: Pixels | None = None
    fps: FrameRate = 24.0
    """Frames a second."""
    spp: PathCount = 0
    """Paths a pixel that every frame is blended with (docs/blending.md). 0: the model's picture alone. Their noise
    holds still on the screen, which is steadier (docs/movie.md)."""
    seed: Seed = 0
    """Of those paths."""
    tone_map: str = "clamp"
    """Clamp or reinhard; not of .exr."""
    exposure: Stops = 0.0
    """Stops by which all frames are brighter: 1 doubles radiance before the tone map; not of .exr."""

    def __post_init__(self) -> None:
        super().__post_init__()
        tone_map(self.tone_map)


@dataclass(frozen=True)
class Output:
    """What is written, and where its frames are kept until then."""

    path: Path
    """An .mp4, or a folder of numbered pictures."""
    pictures: Pictures | None

    @staticmethod
    def of(path: str | Path, pictures: Pictures | None) -> "Output":
        """Checked. Raises InputError for what is neither, and for a place where it cannot be written."""
        if not isinstance(path, str | Path):
            raise InputError(f"path is {shortened(path)}, must be the path of an .mp4, or of a folder with pictures")
        path, pictures = Path(path), check_pictures("pictures", pictures)
        if pictures is not None:
            check_writable_folder(path)
        else:
            check_writable(path, "movie.mp4")
            if path.suffix.lower() != ".mp4":
                raise InputError(f"{path}: movies end in .mp4; for a folder of pictures give --pictures png or exr")
        return Output(path, pictures)

    @property
    def frames(self) -> Path:
        """The folder of the frames."""
        return self.path if self.pictures == "exr" else self.path.with_name(f"{self.path.name}.frames")


def render_movie(
    renderer: Renderer,
    scenes: Sequence[Scene],
    path: str | Path,
    settings: MovieSettings | None = None,
    pictures: Pictures | None = None,
    keep_frames: bool = False,
) -> None:
    """Render the scenes, one a frame, into an .mp4, or with `pictures` into a folder of numbered .png or .exr.

    Frames are kept as .exr in the folder PATH.frames, which is removed when all is written unless `keep_frames`. The
    same call again goes on after an interruption, and renders those frames alone whose scene, model or settings have
    changed. Shows a progress bar. Raises InputError.
    """
    output, settings = Output.of(path, pictures), settings or MovieSettings()
    side = settings.width or settings.height or renderer.model.config.width
    size = settings.width or side, settings.height or side
    if pictures is None:
        check_even(*size)
    elif pictures == "exr" and (settings.exposure, settings.tone_map) != (0.0, "clamp"):
        raise InputError(f"exposure and tone_map are not of .exr, which {path} is to hold: leave them out")
    identities = frame_identities(renderer, scenes, size, settings)
    with only_one(output.frames):
        render_frames(renderer, scenes, output.frames, identities, settings)
        if pictures != "exr":
            show_frames(output, len(scenes), size, settings)
    if pictures != "exr" and not keep_frames:
        remove_frames(output.frames)
    if pictures is not None and (stray := frame_file(output.path, len(scenes), f".{pictures}")).exists():
        warnings.warn(
            f"{stray}: is of a longer movie than this one; remove what is too much", InputWarning, stacklevel=2
        )


def frame_identities(
    renderer: Renderer, scenes: Sequence[Scene], size: tuple[int, int], settings: MovieSettings
) -> list[str]:
    """Of every frame; all scenes are made for it, and so checked before the first is rendered."""
    if not len(scenes):
        raise InputError("no scenes: give at least one")
    fingerprint = renderer.fingerprint()
    paths = (settings.spp, settings.seed if settings.spp else 0)
    return [
        identity_of(luxel=__version__, model=fingerprint, scene=scene_id(scene), size=size, paths=paths)
        for scene in ProgressBar(scenes, desc="reading scenes", unit="frame", leave=False)
    ]


def render_frames(
    renderer: Renderer, scenes: Sequence[Scene], folder: Path, identities: list[str], settings: MovieSettings
) -> None:
    """Render the frames that the folder does not hold yet."""
    files = [frame_file(folder, number) for number in range(len(scenes))]
    missing = [number for number, identity in enumerate(identities) if not is_made(files[number], identity)]
    made = len(scenes) - len(missing)
    with ProgressBar(desc="rendering", total=len(scenes), initial=made, unit="frame", leave=False) as bar:
        for number in missing:
            scene = [scenes[number]]
            picture = renderer.network(scene, settings.width, settings.height)
            radiance = renderer.blended(picture, settings.spp, settings.seed, same_noise=True)
            write_frame(files[number], radiance[0], identities[number])
            bar.update()


def show_frames(output: Output, count: int, size: tuple[int, int], settings: MovieSettings) -> None:
    """The frames as a movie or as .png, all under one exposure."""
    files = [frame_file(output.frames, number) for number in range(count)]
    with ProgressBar(files, desc="writing", unit="frame", leave=False) as bar:
        if output.pictures is None:
            shown = (to_bytes(load_exr(file), settings.tone_map, settings.exposure) for file in bar)
            write_mp4(output.path, shown, size, settings.fps)
            return
        for number, file in enumerate(bar):
            picture = frame_file(output.path, number, ".png")
            save_image(picture, load_exr(file), settings.tone_map, settings.exposure)
