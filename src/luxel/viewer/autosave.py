"""Unsaved changes are kept as they are made."""

import threading
from collections.abc import Callable

from luxel import InputError
from luxel.viewer.document import Document


class Autosave:
    """A thread that keeps a document's unsaved changes, at most once in `period_s` seconds."""

    def __init__(self, document: Document, complain: Callable[[str], object] = print, period_s: float = 1.0) -> None:
        self._document, self._complain, self._period_s = document, complain, period_s
        self._changed, self._ended = threading.Event(), threading.Event()
        document.listen(lambda _: self._changed.set())
        self._thread = threading.Thread(target=self._run, name="autosave", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Keep what there is, and end."""
        self._ended.set()
        self._changed.set()
        self._thread.join()
        self._keep()

    def _run(self) -> None:
        told = ""
        while not self._ended.is_set():
            self._changed.wait()
            self._changed.clear()
            told = self._keep(told)
            self._ended.wait(self._period_s)

    def _keep(self, told: str = "") -> str:
        """Autosave; the complaint, if it fails, which is made once."""
        try:
            self._document.autosave()
        except InputError as error:
            if str(error) != told:
                self._complain(str(error))
            return str(error)
        return ""
