"""`luxel movie`: scenes over time, as an .mp4 or as numbered pictures."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from luxel import InputError
from luxel.cli.options import parsed
from luxel.configuration import Configuration, PathDepth


def movie(arguments: list[str]) -> int:
    """Render a movie of a scene with keyframes, a folder of scenes, a trajectory, or a turntable: luxel movie FILE."""
    from luxel.cli.figure_words import check_figure_words
    from luxel.movie.film import FrameCount, film_of_file
    from luxel.movie.rendering import MovieSettings, Output, Pictures, render_movie
    from luxel.pipeline import Renderer
    from luxel.scene.figures.figure import Figure
    from luxel.trace.path import PathTracer

    @dataclass(frozen=True)
    class Options(Configuration):
        scenes: tyro.conf.Positional[Path]
        """A scene in JSON with keyframes (docs/movie.md); a folder of scenes, a frame each, in natural order of their
        names; a trajectory of particles (docs/particles.md); with --turntable, a scene without keyframes, or points."""
        out: Path | None = None
        """An .mp4, SCENES.mp4 in the current folder unless given; with --pictures, a folder, SCENES-frames."""
        pictures: Pictures | None = None
        """A folder of numbered pictures instead: .png, tone-mapped, or .exr, linear radiance."""
        turntable: FrameCount | None = None
        """Frames in which the camera goes once round what it looks at, about the vertical."""
        every: FrameCount = 1
        """Of a trajectory or a folder, take every so many-th frame."""
        settings: tyro.conf.OmitArgPrefixes[MovieSettings] = MovieSettings()
        keep_frames: bool = False
        """Keep the frames, .exr in OUT.frames, when all is written: to show them under another exposure, say."""
        model: str = "ray-small"
        """A model that Luxel comes with, a run folder, a folder that `save_pretrained` wrote, or hf-hub:OWNER/NAME."""
        max_depth: PathDepth = PathTracer.max_depth
        """Of --spp's paths: segments from the camera to the light; see luxel render."""
        device: str = "cpu"
        figure: tyro.conf.OmitArgPrefixes[Figure] = Figure()
        """How points and particles are shown."""

    options = parsed(Options, "luxel movie", arguments)
    if options.max_depth != PathTracer.max_depth and not options.settings.spp:
        raise InputError(
            f"--max-depth is {options.max_depth}, which is of --spp's paths, but there are none; give --spp"
        )
    settings, suffix = options.settings, "-frames" if options.pictures else ".mp4"
    out = options.out or Path(options.scenes.resolve().stem + suffix)
    Output.of(out, options.pictures)
    check_figure_words(options.scenes, options.figure, arguments)
    aspect = settings.width / settings.height if settings.width and settings.height else 1.0
    film = film_of_file(options.scenes, settings.fps, options.turntable, options.figure, aspect)[:: options.every]
    renderer = Renderer.from_pretrained(options.model, options.device, options.max_depth)
    render_movie(renderer, film, out, settings, options.pictures, options.keep_frames)
    print(f"{out}: {len(film)} frames, {len(film) / settings.fps:.2f} s")
    return 0
