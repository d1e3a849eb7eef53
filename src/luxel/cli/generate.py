"""`luxel generate`: a data set."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import Field

from luxel.cli.options import first_word, parsed, refuse_former
from luxel.configuration import Configuration


def generate(arguments: list[str]) -> int:
    """Path-trace a data set: luxel generate DISTRIBUTION --out DIR, or scenes:DIR for a folder of scenes."""
    from luxel.data.generate import GenerateSettings, of_folder
    from luxel.data.generate import generate as run
    from luxel.scene.folder import PREFIX
    from luxel.scene.registry import known_distributions

    if arguments and arguments[0].startswith(PREFIX):
        name, rest = arguments[0], arguments[1:]
        default = of_folder(name.removeprefix(PREFIX))
    else:
        known = known_distributions()
        name, rest = first_word(arguments, "generate", "DISTRIBUTION", known)
        default = GenerateSettings(known[name]())
    refuse_former(rest)

    @dataclass(frozen=True)
    class Options(Configuration):
        out: Path
        """Folder of the data set; the same command again completes it."""
        settings: tyro.conf.OmitArgPrefixes[tyro.conf.AvoidSubcommands[GenerateSettings]] = default
        workers: Annotated[int, Field(ge=0, le=1024)] = 0
        """Processes of `--tracer mitsuba`, one thread each; 0: one a core."""

    options = parsed(Options, f"luxel generate {name}", rest)
    manifest = run(options.settings, options.out, options.workers)
    print(f"{manifest.scenes} scenes in {options.out}")
    return 0
