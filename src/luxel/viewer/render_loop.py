"""Pictures for the tabs of a browser: at once and small while something changes, then ever better.

Two threads. One draws, for every change, the network's picture in a size that is made in time; of changes that came
meanwhile, the last. The other, where nothing has changed for a moment, goes on in full size with traced paths
(`Renderer.progress`); what it does is given up as soon as its view is no longer what is asked for, and waits while
another tab's is drawn.
"""

import math
import threading
import time
import traceback
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Float32

from luxel import InputError
from luxel.pipeline import Progress, Renderer
from luxel.scene.description import Scene
from luxel.viewer.resolution import Resolution

SETTLE_S = 0.25
"""Seconds without a change after which a view is taken to be at rest."""

Radiance: TypeAlias = Float32[np.ndarray, "height width 3"]


@runtime_checkable
class Network(Protocol):
    """What renders; another one may take its place at any time (`luxel.viewer.weights`)."""

    renderer: Renderer

    @property
    def fixed_side(self) -> int | None:
        """Width and height of its pictures, if it knows one size alone."""
        ...


class View(NamedTuple):
    """What a tab asks for: a scene, seen by its camera, in this size, with at most so many paths a pixel."""

    scene: Scene
    width: int
    height: int
    most_paths: int


class Frame(NamedTuple):
    """A picture of a view."""

    view: View
    version: int
    """Counts a tab's views: a frame of an earlier one than was shown already comes too late."""
    network: Radiance
    best: Radiance
    """The network's, blended with the paths that there are."""
    paths: Radiance | None
    """Those alone; None without any."""
    spp: int
    error: float
    """Estimated root mean square error of `best`; NaN without paths."""
    seconds: float
    """That it took."""
    is_whole: bool
    """Whether it has the view's size."""


Show: TypeAlias = Callable[[Hashable, Frame], object]
Complain: TypeAlias = Callable[[Hashable, str], object]


class Stale(Exception):
    """Work on a view that nobody asks for any more."""


@dataclass
class Request:
    """What is asked for by one tab, and how far that is."""

    view: View
    resolution: Resolution = field(default_factory=Resolution)
    version: int = 0
    """Counts views."""
    drawn: int = -1
    """The version that was drawn last."""
    drawn_at: float = -math.inf
    changed_at: float = 0.0
    """Seconds of `time.monotonic`, as `drawn_at`."""
    steps: Iterator[Progress] | None = None
    steps_version: int = -1
    network: Radiance | None = None
    spp: int = -1
    """Paths a pixel of the view's last step; −1 before the network's whole picture."""
    is_done: bool = False

    @property
    def is_pending(self) -> bool:
        """Whether there is a view that was not drawn yet."""
        return self.drawn != self.version


class RenderLoop:
    """Draws what tabs request, the latest request of each; `show` and `complain` are called by its threads."""

    def __init__(self, network: Network, show: Show, complain: Complain, settle_s: float = SETTLE_S) -> None:
        self._network, self._show, self._complain, self._settle_s = network, show, complain, settle_s
        self._requests: dict[Hashable, Request] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=work.__name__, daemon=True)
            for work in (self._draw_next, self._refine_next)
        ]
        for thread in self._threads:
            thread.start()

    def request(self, key: Hashable, view: View) -> None:
        """Show this view from now on; nothing to do if it is the one that is shown."""
        with self._changed:
            request = self._requests.get(key)
            if request is None:
                request = self._requests[key] = Request(view)
            elif request.view == view:
                return
            self._renew(request, view)

    def request_again(self) -> None:
        """Draw every tab anew, as the network is another."""
        with self._changed:
            for request in self._requests.values():
                self._renew(request, request.view)

    def forget(self, key: Hashable) -> None:
        """The tab was closed."""
        with self._changed:
            request = self._requests.pop(key, None)
            if request is not None:
                request.version += 1
            self._changed.notify_all()

    def close(self) -> None:
        """End the work and its threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _renew(self, request: Request, view: View) -> None:
        request.view, request.changed_at = view, time.monotonic()
        request.version += 1
        request.spp, request.is_done = -1, False
        self._changed.notify_all()

    def _run(self, work: Callable[[], None]) -> None:
        while not self._closed:
            work()

    def _pending(self) -> list[tuple[Hashable, Request]]:
        """Requests of tabs to draw, the one that was drawn least recently first."""
        waiting = [(key, request) for key, request in self._requests.items() if request.is_pending]
        return sorted(waiting, key=lambda pair: pair[1].drawn_at)

    def _draw_next(self) -> None:
        """Wait for a view to draw, and draw it."""
        with self._changed:
            while not self._closed and not self._pending():
                self._changed.wait()
            if self._closed:
                return
            key, request = self._pending()[0]
            view, version = request.view, request.version
        self._told(key, request, version, lambda: self._draw(key, request, view, version))
        with self._changed:
            request.drawn, request.drawn_at = version, time.monotonic()
            self._changed.notify_all()

    def _draw(self, key: Hashable, request: Request, view: View, version: int) -> None:
        """The network's picture alone, as large as is made in time."""
        size = (view.width, view.height)
        if self._network.fixed_side is None:
            size = request.resolution.size(*size)
        started = time.perf_counter()
        network = self._network.renderer(view.scene, *size)
        is_whole = size == (view.width, view.height)
        frame = Frame(view, version, network, network, None, 0, math.nan, time.perf_counter() - started, is_whole)
        self._show(key, frame)
        request.resolution.measured(size[0] * size[1], time.perf_counter() - started)

    def _refine_next(self) -> None:
        """Wait for a tab at rest, and make its picture better by one pass."""
        with self._changed:
            while not self._closed and self._at_rest() is None:
                self._changed.wait(self._seconds_to_rest())
            found = self._at_rest()
            if self._closed or found is None:
                return
            key, request = found
            view, version = request.view, request.version
        self._told(key, request, version, lambda: self._refine(key, request, view, version))

    def _at_rest(self) -> tuple[Hashable, Request] | None:
        """Of the requests at rest the one with the fewest paths; None without any, and while others are to be drawn."""
        since = time.monotonic() - self._settle_s
        rested = [pair for pair in self._unfinished() if pair[1].changed_at <= since]
        return None if self._pending() else min(rested, key=lambda pair: pair[1].spp, default=None)

    def _seconds_to_rest(self) -> float | None:
        """How long until one is at rest, if nothing changes; None: until something changes."""
        if self._pending():
            return None
        waits = [request.changed_at + self._settle_s - time.monotonic() for _, request in self._unfinished()]
        return max(0.0, min(waits)) if waits else None

    def _unfinished(self) -> list[tuple[Hashable, Request]]:
        return [(key, request) for key, request in self._requests.items() if not request.is_done]

    def _refine(self, key: Hashable, request: Request, view: View, version: int) -> None:
        """One pass more of a view, and its frame, unless it is stale by then."""
        started = time.perf_counter()
        if request.steps is None or request.steps_version != version:
            request.steps_version = version
            request.steps = self._network.renderer.progress(
                view.scene, view.width, view.height, traced=lambda _: self._wait_or_give_up(request, version)
            )
        try:
            step = next(request.steps)
        except Stale:
            return
        network = step.radiance if step.spp == 0 else request.network
        assert network is not None
        request.network = network
        seconds = time.perf_counter() - started
        frame = Frame(view, version, network, step.radiance, step.paths, step.spp, step.error, seconds, True)
        with self._changed:
            is_current = request.version == version
            if is_current:
                request.spp, request.is_done = step.spp, step.spp >= view.most_paths
        if is_current:
            self._show(key, frame)

    def _wait_or_give_up(self, request: Request, version: int) -> None:
        """Between parts of a pass: raise Stale if its view is, and wait while others are drawn."""
        with self._changed:
            while not self._closed and request.version == version and self._pending():
                self._changed.wait()
            if self._closed or request.version != version:
                raise Stale

    def _told(self, key: Hashable, request: Request, version: int, work: Callable[[], None]) -> None:
        """Do the work; what fails is told, once, and not tried again until the view changes, if it has not already."""
        try:
            work()
        except Exception as error:
            if not isinstance(error, InputError):
                traceback.print_exc()
            with self._changed:
                if request.version != version:
                    return
                request.is_done = True
            self._complain(key, str(error) or type(error).__name__)
