"""What the viewer edits: one scene, what it was before each change, and the file where that is kept safe."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from luxel import InputError
from luxel.files.atomic import writing
from luxel.scene.description import MapSky, Scene
from luxel.scene.folder import AUTOSAVED
from luxel.viewer.claim import Claim

MERGE_S = 1.0
"""Seconds between two changes of one gesture, up to which they are undone as one."""
MAX_UNDO = 1000
"""Changes that are kept; scenes share what they have in common."""
SAME: Final = -1
"""Stands for the object that is selected already, as long as there is one of its number."""


class State(NamedTuple):
    """A scene, and which of its objects is selected."""

    scene: Scene
    selected: int | None = None


class Document:
    """A scene with a past: every change can be undone, and is kept beside the file until that is saved.

    Listeners are called after every change, on the thread that made it. All methods may be called by any thread.
    """

    def __init__(self, scene: Scene, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._state, self._saved = State(scene), scene
        self._undo: list[State] = []
        self._redo: list[State] = []
        self._gesture: Hashable = None
        self._changed_at = -MERGE_S
        self._clock = clock
        self._kept: Scene | None = None
        self._claim: Claim | None = None
        self._listeners: list[Callable[[State], None]] = []
        self._lock, self._file_lock = threading.RLock(), threading.RLock()

    @staticmethod
    def open(path: Path) -> "Document":
        """The scene of a file; what was not saved the last time is restored as a change of it, which can be undone.

        Raises SceneError for a file that is no scene, and InputError for an autosave that is none.
        """
        document = Document(Scene.load(path), path)
        document.restore()
        return document

    def restore(self) -> bool:
        """Take over what an earlier viewer of this file left in its autosave; whether there was anything."""
        kept = kept_beside(self.path)
        if kept is None:
            return False
        self._kept = kept
        if is_same(kept, self.scene):
            return False
        self.edit(kept)
        return True

    @property
    def state(self) -> State:
        """The scene and its selection, now."""
        return self._state

    @property
    def scene(self) -> Scene:
        """The scene as it is now."""
        return self._state.scene

    @property
    def selected(self) -> int | None:
        """The number of the selected object; None without a selection."""
        return self._state.selected

    @property
    def autosave_path(self) -> Path:
        """Where unsaved changes are kept."""
        return autosave_beside(self.path)

    @property
    def is_saved(self) -> bool:
        """Whether the file holds the scene as it is now."""
        return is_same(self._state.scene, self._saved)

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to undo."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone change to make again."""
        return bool(self._redo)

    def listen(self, listener: Callable[[State], None]) -> None:
        """Call this with the state after every change of scene, selection or file."""
        self._listeners.append(listener)

    def edit(
        self, scene: Scene, selected: int | None = SAME, gesture: Hashable = None, merge_s: float = MERGE_S
    ) -> None:
        """Make this the scene. Changes of one `gesture` are undone as one, if at most `merge_s` seconds lie between."""
        with self._lock:
            if selected == SAME:
                selected = self.selected
            if selected is not None and selected >= len(scene.objects):
                selected = None
            if not is_same(scene, self.scene):
                self._remember(gesture, merge_s)
            elif selected == self.selected:
                return
            self._set(State(scene, selected))

    def _remember(self, gesture: Hashable, merge_s: float) -> None:
        """Make the state one to come back to, unless the change to come goes on with the last one."""
        now = self._clock()
        goes_on = gesture is not None and gesture == self._gesture and now - self._changed_at <= merge_s
        self._gesture, self._changed_at = gesture, now
        if not goes_on:
            self._undo = [*self._undo[-MAX_UNDO + 1 :], self._state]
        self._redo.clear()

    def select(self, number: int | None) -> None:
        """Select an object, or none; nothing to undo."""
        with self._lock:
            if number != self.selected:
                self._set(State(self.scene, number))

    def undo(self) -> bool:
        """Take back the last change, selection included; whether there was one."""
        return self._step(self._undo, self._redo)

    def redo(self) -> bool:
        """Make again the change that was undone last; whether there was one."""
        return self._step(self._redo, self._undo)

    def _step(self, source: list[State], target: list[State]) -> bool:
        with self._lock:
            if not source:
                return False
            target.append(self._state)
            self._gesture = None
            self._set(source.pop())
            return True

    def save(self, path: Path | None = None) -> None:
        """Write the file, or another one, which is the document's from then on. Raises InputError if it cannot be."""
        with self._file_lock, self._moving(path or self.path):
            scene, kept_before = self.scene, self.autosave_path
            scene.save(path or self.path)
            self.path, self._saved = path or self.path, scene
            self._forget(kept_before)
        self._tell()

    def replace(self, scene: Scene, path: Path) -> None:
        """Open another scene, whose file is `path`, with a past of its own; the file's own is a change to undo.

        What was not saved of the file before is kept beside it. What was not saved of this one the last time is
        restored, as by `open`, which raises InputError as that does.
        """
        if same_file(path, self.path):
            with self._file_lock, self._lock:
                self._saved = scene
                self.edit(scene)
            return
        self.autosave()
        with self._file_lock, self._moving(path), self._lock:
            kept = kept_beside(path)
            self.path, self._kept, self._saved = path, kept, scene
            self._undo, self._redo, self._gesture = [], [], None
            self._set(State(scene))
            if kept is not None:
                self.edit(kept)

    def claim(self) -> None:
        """Keep other viewers from the file, and from whatever file is the document's later, until it is released.

        Raises InputError if another one has it.
        """
        self._claim = self._claim or Claim(self.path)

    def release(self) -> None:
        """Leave the file to other viewers."""
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    @contextmanager
    def _moving(self, path: Path) -> Iterator[None]:
        """Within, the document becomes another file's; the one before is left to others if that comes about."""
        if self._claim is None or same_file(path, self.path):
            yield
            return
        before, self._claim = self._claim, Claim(path)
        try:
            yield
        except BaseException:
            before, self._claim = self._claim, before
            raise
        finally:
            before.release()

    def autosave(self) -> bool:
        """Keep what is not saved in the file beside it, if it is not kept yet; whether that was so.

        Raises InputError if it cannot be written.
        """
        with self._file_lock:
            scene = self.scene
            if is_same(scene, self._saved):
                self._forget(self.autosave_path)
                return False
            if self._kept is not None and is_same(scene, self._kept):
                return False
            scene.save(self.autosave_path)
            self._kept = scene
            return True

    def _forget(self, kept: Path) -> None:
        """Remove an autosave that this document wrote or restored."""
        if self._kept is not None:
            with writing(kept, "delete it"):
                kept.unlink(missing_ok=True)
            self._kept = None

    def _set(self, state: State) -> None:
        self._state = state
        self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener(self._state)


def is_same(one: Scene, other: Scene) -> bool:
    """Whether both are written alike: equal, and by a map of the same file, as a map may be looked for elsewhere."""
    files = [scene.sky.file if isinstance(scene.sky, MapSky) else None for scene in (one, other)]
    return one == other and files[0] == files[1]


def same_file(path: Path, other: Path) -> bool:
    """Whether both paths lead to one place."""
    return path.resolve() == other.resolve()


def autosave_beside(path: Path) -> Path:
    """Where changes of a scene's file are kept until they are saved: SCENE.autosave.json, beside it."""
    name = path.stem if path.suffix == ".json" else path.name
    return path.with_name(f"{name}{AUTOSAVED}.json")


def kept_beside(path: Path) -> Scene | None:
    """What an earlier viewer of a scene's file left unsaved. Raises InputError for what is no scene there."""
    autosave = autosave_beside(path)
    if not autosave.exists():
        return None
    try:
        return Scene.load(autosave)
    except InputError as error:
        raise InputError(f"{error}; move this autosave away, or mend it") from error
