"""Options of points and particles among a command's words."""

from collections.abc import Sequence
from pathlib import Path

from luxel.scene.figures.figure import Figure, check_no_figure
from luxel.scene.figures.readers import is_particle_file


def check_figure_words(path: Path, figure: Figure, words: Sequence[str]) -> None:
    """Raise InputError for options of figures, at their defaults, too, beside a scene, which has no use for them.

    A file that is not there is left to its reader.
    """
    if not is_particle_file(path) and (path.is_file() or path == Path("-")):
        options = [word.partition("=")[0] for word in words if word.startswith("--")]
        given = {option.removeprefix("--").removeprefix("no-").replace("-", "_") for option in options}
        check_no_figure(path, figure, given)
