"""The pictures of `luxel render`: how each comes about, scene after scene."""

import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from luxel import InputError, InputWarning
from luxel.cli.figure_words import check_figure_words
from luxel.cli.options import naming_options
from luxel.cli.render_options import (
    PATHS,
    STDIN,
    RenderOptions,
    check_together,
    model_of,
    name_of,
    outputs,
    paths_of,
    size_of,
)
from luxel.core.launch import seconds_of_loading
from luxel.data.generate_settings import GenerateSettings
from luxel.denoised import denoised
from luxel.image.formats import Radiance, is_display, save_image, save_pixels, to_bytes
from luxel.image.labels import Label, labelled
from luxel.image.side_by_side import SideBySide, sheet
from luxel.image.tonemap import tone_map
from luxel.pipeline import Renderer
from luxel.progress import ProgressBar
from luxel.scene.description import MAX_BYTES, Scene
from luxel.scene.figures.figure import load_scene, shadow_catcher_of
from luxel.scene.figures.readers import is_particle_file
from luxel.trace.mitsuba import MitsubaTracer
from luxel.trace.mitsuba_limits import known_wrong
from luxel.trace.object_places import object_places
from luxel.trace.tracer import Radiance as Traced
from luxel.transparent import cut_out

Progress: TypeAlias = Callable[[int], object]
WORTH_TELLING_S = 0.1
"""Of making kernels ready: with less, a first picture's time is that of any other."""


def render_all(options: RenderOptions, words: Sequence[str]) -> int:
    """Render the scenes one after another, and return the exit code; one that fails is named, and the others go on.

    `words` are what gave the options, for messages.
    Raises InputError for options that cannot be met, before any work, and if there is one scene, that one's.
    """
    tone_map(options.tone_map)
    outs = outputs(options)
    check_together(options, outs)
    for path in options.scenes:
        check_figure_words(path, options.figure, words)
    renderers = {
        model: Renderer.from_pretrained(model, options.device, options.max_depth)
        for model in dict.fromkeys(model_of(path, options) for path in options.scenes)
        if model != PATHS
    }
    if len(outs) == 1:
        print(render_one(options, renderers, options.scenes[0], outs[0]))
        return 0
    failed = 0
    with ProgressBar(total=len(outs), unit="scene", desc=options.model) as bar:
        for path, out in zip(options.scenes, outs, strict=True):
            try:
                with warnings_naming(path):
                    bar.write(render_one(options, renderers, path, out, bar))
            except InputError as error:
                failed += 1
                bar.write(f"luxel render: {naming_options(str(error), words)}", file=sys.stderr)
            bar.update()
    if failed:
        print(f"luxel render: {failed} of {len(outs)} scenes failed, as said above", file=sys.stderr)
    return min(failed, 1)


def render_one(
    options: RenderOptions, renderers: dict[str, Renderer], path: Path, out: Path, scenes_bar: ProgressBar | None = None
) -> str:
    """Make one picture, a network's first, and say where it is; `scenes_bar` is the bar of all scenes."""
    scene, model = read_scene(path, options), model_of(path, options)
    if model == PATHS:
        spp, (width, height) = paths_of(path, options), size_of(options)
        with paths_bar(spp, width * height, out, scenes_bar) as progress:
            image = denoised(
                scene, width, height, spp, options.seed, options.device, progress, max_depth=options.max_depth
            )
        save_picture(path, out, image, scene, options)
    else:
        image = by_network(options, renderers[model], path, scene, out, scenes_bar)
    if options.truth is None:
        return str(out)
    height, width, _ = image.shape
    say(f"{out}: {model} alone, until the truth is traced", scenes_bar)
    with paths_bar(options.truth, width * height, out, scenes_bar) as progress:
        truth = traced(options, scene, width, height, progress)
    pair = side_by_side(path, image, truth, options)
    if is_display(out):
        save_pixels(out, sheet([pair], tone=options.tone_map, exposure=options.exposure))
    else:
        save_image(out, np.concatenate(pair.images, axis=1))
    return f"{out}, from left to right: {pair.summary}"


def by_network(
    options: RenderOptions, renderer: Renderer, path: Path, scene: Scene, out: Path, scenes_bar: ProgressBar | None
) -> Radiance:
    """Make the network's picture, and then the one that is blended with paths."""
    spp, started, loaded = paths_of(path, options), time.perf_counter(), seconds_of_loading()
    picture = renderer.network([scene], options.width, options.height)
    image = renderer.blended(picture, 0)[0]
    height, width, _ = image.shape
    seconds, loading = time.perf_counter() - started, seconds_of_loading() - loaded
    first = f", after {loading:.1f} s of making its kernels ready" if loading > WORTH_TELLING_S else ""
    say(f"{width}×{height} by {renderer.name} in {seconds - loading:.2f} s{first}", scenes_bar)
    save_picture(path, out, image, scene, options)
    if spp:
        say(f"{out}: {renderer.name} alone, until {spp} paths a pixel are traced", scenes_bar)
        with paths_bar(spp, width * height, out, scenes_bar) as progress:
            image = renderer.blended(picture, spp, options.seed, progress)[0]
        save_picture(path, out, image, scene, options)
    return image


@contextmanager
def warnings_naming(path: Path) -> Iterator[None]:
    """Within, an InputWarning begins with the name of the scene's file, of several."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def tell(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
            about = f"{name_of(path) if path == STDIN else path}: "
            is_named = not issubclass(category, InputWarning) or str(message).startswith(about)
            show(message if is_named else about + str(message), category, *place, **options)

        warnings.showwarning = tell
        yield


def say(line: str, scenes_bar: ProgressBar | None) -> None:
    """Write a line to standard error, if one scene is rendered."""
    if scenes_bar is None:
        print(line, file=sys.stderr)


def read_scene(path: Path, options: RenderOptions) -> Scene:
    """The scene of a file, or that of standard input. Raises InputError."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; for the scenes in it give {path / '*.json'}")
    if path == STDIN:
        return Scene.from_json(sys.stdin.buffer.read(MAX_BYTES), "standard input")
    return load_scene(path, options.figure, options.aspect)


def save_picture(path: Path, out: Path, image: Radiance, scene: Scene, options: RenderOptions) -> None:
    """Write the model's picture of the scene in the file `path`, transparent or with labels if that is asked for."""
    if options.transparent:
        catcher = shadow_catcher_of(scene, options.figure.look) if is_particle_file(path) else None
        cut_out(scene, image, catcher, options.device).save(out, options.tone_map, options.exposure)
        return
    if not options.labels:
        save_image(out, image, options.tone_map, options.exposure)
        return
    height, width, _ = image.shape
    names = [
        Label(place.column, place.row, (f"{number} {scene.objects[number].shape}", str(number)))
        for place in object_places(scene, width, height)
        for number in [place.object_number]
    ]
    pixels, crowded = labelled(to_bytes(image, options.tone_map, options.exposure), names)
    save_pixels(out, pixels)
    if crowded:
        told = f"{out}: {crowded} of {len(names)} visible objects have no room for a label; a larger --width has"
        warnings.warn(told, InputWarning, stacklevel=2)


@contextmanager
def paths_bar(spp: int, pixels: int, out: Path, scenes_bar: ProgressBar | None) -> Iterator[Progress]:
    """Within, a function of numbers of pixels whose paths are traced moves a bar: that of all scenes, if any."""
    if scenes_bar is None:
        with ProgressBar(desc=f"path tracing, {spp} spp", total=pixels, unit="pixel", leave=False) as bar:
            yield bar.update
        return
    traced_pixels = 0

    def show(count: int) -> None:
        nonlocal traced_pixels
        traced_pixels += count
        scenes_bar.set_postfix_str(f"{out.stem}: path tracing, {spp} spp, {traced_pixels / pixels:.0%}")

    yield show
    scenes_bar.set_postfix_str("")


def side_by_side(path: Path, image: Radiance, truth: Traced, options: RenderOptions) -> SideBySide:
    """The model's picture beside the truth."""
    return SideBySide.of(
        name_of(path) if path == STDIN else str(path),
        truth.mean[0],
        {Path(model_of(path, options)).resolve().name: image},
        truth.spp,
        truth.variance[0],
        float(truth.variance_of_a_path[0]),
    )


def traced(options: RenderOptions, scene: Scene, width: int, height: int, progress: Progress) -> Traced:
    """The scene as the tracer that is asked for sees it; warns of what Mitsuba is known to get wrong."""
    tracer = GenerateSettings(tracer=options.tracer, max_depth=options.max_depth).make_tracer()
    if isinstance(tracer, MitsubaTracer):
        for line in known_wrong(scene):
            warnings.warn(line, InputWarning, stacklevel=2)
    assert options.truth is not None
    return tracer.trace([scene], width, height, options.truth, seed=0, progress=progress)
