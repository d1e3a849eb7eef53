"""`luxel render`: scenes, by a model and, if asked for, path traced beside it."""

from luxel.cli.options import pairs_joined, pairs_of, parsed
from luxel.cli.positionals import files_first


def render(arguments: list[str]) -> int:
    """Render scenes, or points and particles, with a trained model: luxel render FILE [FILE …]."""
    from luxel.cli.pictures import render_all
    from luxel.cli.render_options import RenderOptions

    words = files_first(pairs_joined(arguments, pairs_of(RenderOptions)), RenderOptions)
    return render_all(parsed(RenderOptions, "luxel render", words), arguments)
