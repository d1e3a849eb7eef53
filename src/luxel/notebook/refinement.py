"""Ever better pictures of the latest scene asked for, made in the background."""

import threading
import traceback
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from luxel import InputError
from luxel.pipeline import Progress, Renderer
from luxel.scene.description import Scene

Shown: TypeAlias = Callable[[Scene, Progress], object]
Told: TypeAlias = Callable[[str], object]


class Request(NamedTuple):
    """A scene to be shown."""

    scene: Scene
    width: int
    height: int
    spp: int
    """Paths a pixel at which its picture rests; 0 for the network's alone."""


class Refinement:
    """Shows the network's picture of a scene at once, and then ones with more and more paths, until another is asked.

    All is done by one thread at a time, which ends when there is nothing left to do. `show` is called on it with every
    picture, and `tell` with the message of a scene that cannot be rendered.
    """

    def __init__(self, renderer: Renderer, show: Shown, tell: Told) -> None:
        self.renderer, self.show, self.tell = renderer, show, tell
        self._lock = threading.Lock()
        self._asked: Request | None = None
        self._thread: threading.Thread | None = None

    def ask(self, request: Request) -> None:
        """Show this one next; what is being refined is left as soon as its pass is done."""
        with self._lock:
            self._asked = request
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="luxel refinement")
                self._thread.start()

    def stop(self) -> None:
        """Leave what is being refined as it is."""
        with self._lock:
            self._asked = None

    def wait(self) -> None:
        """Until the latest picture is as good as was asked for."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        done: Request | None = None
        while (request := self._next(done)) is not None:
            try:
                self._refine(request)
            except Exception as error:  # the thread must go on: the next view may be rendered
                if not isinstance(error, InputError):
                    traceback.print_exc()
                self.tell(str(error) or type(error).__name__)
            done = request

    def _next(self, done: Request | None) -> Request | None:
        """What was asked for since; if nothing was, None, and the thread's end."""
        with self._lock:
            if self._asked is None or self._asked is done:
                self._asked = self._thread = None
            return self._asked

    def _refine(self, request: Request) -> None:
        for progress in self.renderer.progress(request.scene, request.width, request.height):
            self.show(request.scene, progress)
            if progress.spp >= request.spp or self._asked is not request:
                return
