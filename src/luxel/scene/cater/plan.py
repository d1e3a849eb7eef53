"""Who does what when: in slots of 30 frames things slide, are carried, turn, and cones come down over others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from luxel.scene.cater.motion import Course, Move, Places, Turns, carry, flip, level_axes, slide, spin
from luxel.scene.cater.things import Thing
from luxel.scene.draws import Draws
from luxel.scene.stage import REGION
from luxel.scene.visible_pixels import Solid

Action: TypeAlias = Literal["_slide", "_pick_place", "_rotate", "_contain"]
"""CATER's names."""
SLOT = 30  # frames
FIRST, LATEST = 1, 8  # frames of a slot at which an action may begin
SHORTEST, LONGEST = 15, 20  # frames of an action, so that it ends within its slot
TRIES = 20  # of an action's kind and goal before a thing stays where it is
CONTAIN_CHANCE = 0.5  # that a slot begins with a search for a cone that can cover something


@dataclass(frozen=True)
class Movement:
    """What a thing did."""

    action: Action
    target: str | None
    """The instance that it covered."""
    start: int
    """Its first frame."""
    end: int
    """Its last frame."""


@dataclass(eq=False)
class Actor:
    """A thing while its video is planned: where it is now, and what it has done."""

    thing: Thing
    solid: Solid
    course: Course
    places: Places = ()
    turns: Turns = ()
    movements: list[Movement] = field(default_factory=list)
    holds: "Actor | None" = None
    is_held: bool = False

    @property
    def held(self) -> "list[Actor]":
        """What it covers, and what that covers."""
        return [] if self.holds is None else [self.holds, *self.holds.held]

    def follow(self, move: Move, action: Action, target: str | None = None) -> None:
        """Do it."""
        self.course = self.course.moved(move, self.solid)
        self.solid = move.after(self.solid)
        self.places += move.places
        self.turns += move.turns
        self.movements.append(Movement(action, target, move.start, move.end))


def planned(draws: Draws, things: Sequence[Thing], frames: int, max_moving: int) -> list[Actor]:
    """The things with their movements, at most so many in a slot; what a cone carries along is not counted."""
    actors = [Actor(thing, thing.solid, Course.of_rest(thing.solid, frames)) for thing in things]
    for slot in range(frames // SLOT):
        free = shuffled(draws, [actor for actor in actors if not actor.is_held])
        busy: list[Actor] = []
        if draws.chance(CONTAIN_CHANCE):
            busy = contain(draws, free, actors, slot)
        movers = [actor for actor in free if actor not in busy]
        for actor in movers[: max_moving - bool(busy)]:
            act(draws, actor, actors, slot)
    return actors


def shuffled(draws: Draws, actors: Sequence[Actor]) -> list[Actor]:
    """In random order."""
    keys = [draws.unit() for _ in actors]
    return [actors[number] for number in sorted(range(len(actors)), key=keys.__getitem__)]


def interval(draws: Draws, slot: int) -> tuple[int, int]:
    """First and last frame of an action in a slot."""
    start = slot * SLOT + draws.integer(FIRST, LATEST)
    return start, start + draws.integer(SHORTEST, LONGEST)


def contain(draws: Draws, free: Sequence[Actor], actors: Sequence[Actor], slot: int) -> list[Actor]:
    """Lower an empty cone over something, if any can be; return the two."""
    for cone in free:
        for other in free:
            if cone is other or cone.holds is not None or not cone.thing.may_hold(other.thing):
                continue
            move = carry(cone.solid, *other.solid.center[:2], *interval(draws, slot))
            if is_clear(cone, move, actors, [other, *other.held]):
                cone.follow(move, "_contain", other.thing.words.instance)
                cone.holds, other.is_held = other, True
                return [cone, other]
    return []


def act(draws: Draws, actor: Actor, actors: Sequence[Actor], slot: int) -> None:
    """Have it do something that there is room for; nothing, if none of some tries is."""
    for _ in range(TRIES):
        action = draws.choose(dict.fromkeys(actions_of(actor), 1.0))
        move = random_move(draws, actor, action, interval(draws, slot))
        if not is_clear(actor, move, actors):
            continue
        if action == "_slide":
            for inner in actor.held:  # all have their centres above one point
                inner.follow(slide(inner.solid, *move.places[-1][1][:2], move.start, move.end), "_slide")
        if action == "_pick_place" and actor.holds is not None:
            actor.holds.is_held, actor.holds = False, None
        actor.follow(move, action)
        return


def actions_of(actor: Actor) -> tuple[Action, ...]:
    """What it can do by itself."""
    if actor.thing.words.shape in ("cube", "cylinder", "spl"):
        return "_slide", "_pick_place", "_rotate"
    return "_slide", "_pick_place"


def random_move(draws: Draws, actor: Actor, action: Action, frames: tuple[int, int]) -> Move:
    """An action with a random goal."""
    if action == "_rotate":
        shape = actor.thing.words.shape
        if shape == "spl" or (shape == "cube" and draws.chance(0.5)):
            return spin(actor.solid, *frames)
        return flip(actor.solid, draws.choose(dict.fromkeys(level_axes(actor.solid), 1.0)), *frames)
    x, y = draws.uniform(-REGION, REGION), draws.uniform(-REGION, REGION)
    return (slide if action == "_slide" else carry)(actor.solid, x, y, *frames)


def is_clear(actor: Actor, move: Move, actors: Sequence[Actor], covered: Sequence[Actor] = ()) -> bool:
    """Whether it then keeps apart from all others, from that frame to the end; `covered` is what it comes down over.

    What it holds goes along if it slides, and is left behind once it has been lifted.
    """
    course = actor.course.moved(move, actor.solid)
    leaves = len(move.places) > 2
    held = actor.held
    for other in actors:
        if other is actor or other in covered or (other in held and not leaves):
            continue
        if not course.is_clear_of(other.course, move.lifted if other in held else move.start):
            return False
    return True
