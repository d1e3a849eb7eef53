"""`luxel demo`: all of it, on one page."""

from dataclasses import dataclass
from pathlib import Path

from luxel.cli.options import DIVERGED, parsed
from luxel.configuration import Configuration


def demo(arguments: list[str]) -> int:
    """Generate, train, evaluate, render, and show it all on one page."""
    from luxel.demo import demo as run
    from luxel.files.atomic import check_writable_folder

    @dataclass(frozen=True)
    class Options(Configuration):
        out: Path = Path("runs/demo")
        """Run folder of the demo."""

    options = parsed(Options, "luxel demo", arguments)
    check_writable_folder(options.out)
    page, status = run(options.out)
    print(f"open {page.resolve()}")
    return DIVERGED if status == "diverged" else 0
