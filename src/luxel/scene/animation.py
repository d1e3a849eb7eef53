"""A scene file with keyframes: a function from time to scenes, which have no time themselves."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from luxel.configuration import checker, printable
from luxel.memory import collection_paused
from luxel.scene.description import Scene, parsed_json, read_scene_file
from luxel.scene.errors import SceneError
from luxel.scene.keyframes import Seconds, Track, at_time, tracks_in, with_tracks

check_time = checker(Seconds)


class BetweenKeysError(SceneError):
    """No scene at a time between keys, whose own values may all be right."""


@dataclass(frozen=True)
class Animation:
    """The scenes of a file over time: `Animation.load("cradle.json")(0.5)` is that at half a second.

    Any value of the file may have keyframes (docs/movie.md); a file without any is the same scene at all times.
    """

    source: str
    """The file, with which messages begin."""
    values: Any = field(repr=False)
    """What the file's JSON holds, with a Track for each of its keyframed values."""

    @staticmethod
    def load(path: str | Path) -> "Animation":
        """Read a file; raises SceneError as `from_json` does."""
        return Animation.from_json(read_scene_file(path), str(path))

    @staticmethod
    @collection_paused()
    def from_json(text: str | bytes, source: str = "animation") -> "Animation":
        """Read JSON, whose scenes are checked at the times of all its keys: the keys' own values, then what is between.

        Raises SceneError, with one line for every mistake that names `source`, its place and value, as of
        `objects[2].center.keyframes[1][1]`.
        """
        values = parsed_json(text, source)
        try:
            animation = Animation(source, with_tracks(values))
        except RecursionError:
            raise SceneError(f"{source}: nested too deeply; a scene has five levels") from None
        except SceneError as error:
            raise SceneError(printable(f"{source}: {error}")) from None
        between: BetweenKeysError | None = None
        for time in sorted({0.0, *(time for track in animation.tracks for time in track.times)}):
            try:
                animation(time)
            except BetweenKeysError as error:  # a later key's own value may be the cause
                between = between or error
        if between is not None:
            raise between
        return animation

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """All values that change, or might."""
        return tuple(tracks_in(self.values))

    @property
    def duration(self) -> float:
        """The last key's time in seconds; 0 without keyframes."""
        return max((track.times[-1] for track in self.tracks), default=0.0)

    def __call__(self, time: float) -> Scene:
        """The scene at a time in seconds; after the last keys it stays as it is.

        Raises SceneError if there is none, as where a normal passes zero.
        """
        values = at_time(self.values, check_time("time", time))
        try:
            return Scene.from_values(values, self.source, Path(self.source).parent)
        except SceneError as error:
            lines = str(error).removeprefix(f"{self.source}: ").split(f"\n{self.source}: ")
            placed = [self._placed(line, time) for line in lines]
            of_keys = [line for line, is_between in placed if not is_between]
            if of_keys:
                raise SceneError("\n".join(of_keys)) from None
            raise BetweenKeysError("\n".join(line for line, _ in placed)) from None

    def _placed(self, mistake: str, time: float) -> tuple[str, bool]:
        """A mistake of the scene at a time, with the key's place in the file, or with the time if it is of no key.

        And whether it is of what lies between keys.
        """
        match = re.match(r"[\w.\[\]]+", mistake)
        field = match.group() if match else ""
        track = next((track for track in self.tracks if is_part(field, track.field)), None)
        if track is not None and (key := track.key_at(time)) is not None:
            return f"{self.source}: {key}{mistake.removeprefix(track.field)}", False
        moving = [track] if track is not None else [each for each in self.tracks if is_part(each.field, field)]
        if not moving:
            return f"{self.source}: {mistake}", False
        way_round = remedy(moving, time)
        return f"{self.source}, at {time:g} s: {mistake}{way_round}", bool(way_round)


def remedy(moving: Sequence[Track], time: float) -> str:
    """What to do where these give no scene at a time: nothing more is said if it is a key's, as that can be changed."""
    times = {each for track in moving for each in track.times}
    before = max((each for each in times if each < time), default=None)
    after = min((each for each in times if each > time), default=None)
    if time in times or before is None or after is None:
        return ""
    return f"; between the keys at {before:g} s and {after:g} s give one that leads round it"


def is_part(field: str, whole: str) -> bool:
    """Whether `objects[2].center[0]` is one of, or in, `objects[2].center`."""
    return field.startswith(whole) and field[len(whole) : len(whole) + 1] in ("", ".", "[")
