"""`luxel export`: a data set in the layouts that other programs read."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from luxel.cli.options import parsed
from luxel.configuration import Configuration


def export(arguments: list[str]) -> int:
    """Write a data set with its labels for other programs: luxel export DATA --layout coco --out DIR."""
    from luxel.data.export.export import ExportSettings
    from luxel.data.export.export import export as run

    @dataclass(frozen=True)
    class Options(Configuration):
        data: tyro.conf.Positional[Path]
        """Folder of a data set that `luxel generate` has made."""
        out: Path
        """Folder of the files; the same command again completes it."""
        settings: tyro.conf.OmitArgPrefixes[ExportSettings]

    options = parsed(Options, "luxel export", arguments)
    count = run(options.data, options.out, options.settings)
    print(f"{count} samples in {options.out}")
    return 0
