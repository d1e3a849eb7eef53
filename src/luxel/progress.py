"""Progress bars: on a terminal they move; into a file, of a batch job or a pipe, they are a line now and then."""

import sys
import time
from typing import Any

from tqdm import tqdm

NEWS_EVERY_S = 30.0
"""Of what is no terminal."""
LINE_UP = "\x1b[A"


class Log:
    """A stream to which what tqdm draws over and over goes as lines, and the drawing of nothing does not."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, drawn: str) -> None:
        """Write what there is to see of it, without the moves to other bars' lines."""
        if line := drawn.replace(LINE_UP, "").strip():
            self._stream.write(line + "\n")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class ProgressBar(tqdm):
    """tqdm's bar; on what is no terminal a line at its beginning, one each NEWS_EVERY_S, and, where it stays, its end.

    A notebook, whose cells show what is drawn over and over as one line, is as good as a terminal.
    """

    def __init__(self, *arguments: Any, file: Any = None, **options: Any) -> None:
        file = sys.stderr if file is None else file
        self._interval = 0.0 if redraws(file) else NEWS_EVERY_S
        self._due = 0.0
        super().__init__(*arguments, file=Log(file) if self._interval else file, **options)

    def refresh(self, *arguments: Any, **options: Any) -> Any:
        """Draw the bar, if it is time to."""
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + self._interval
        return super().refresh(*arguments, **options)


def redraws(stream: Any) -> bool:
    """Whether what is written after a carriage return takes the place of what was before."""
    return stream.isatty() or type(stream).__module__.startswith("ipykernel")
