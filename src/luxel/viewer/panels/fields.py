"""Inputs of the page that show a value of the document, and change it."""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import viser

from luxel import InputError
from luxel.viewer.panels.numbers import numbers_in, text_of

PATIENCE_S = 2.0
"""How long a number that can't be may stand: of 0.5 a browser sends 0 first."""
RUN_S = 1.0
"""Between two keystrokes of one number."""
CROSSING_S = 0.3
"""How long what was typed may be on its way from a browser: viser's waits 50 ms between two messages."""
Tell = Callable[[viser.ClientHandle | None, str], object]
"""Shows in a tab, or in all of them, what is wrong."""


@runtime_checkable
class Source(Protocol):
    """What has a state to show."""

    @property
    def state(self) -> Any:
        """As it is now."""
        ...


@dataclass(eq=False)
class Field:
    """An input, what it shows of a state, and what is done with what a user sets it to."""

    handle: Any
    read: Callable[[Any], Any]
    write: Callable[[Any], object]
    is_typed: bool = False
    """Whether it is a text input for numbers."""
    before: Any = None
    """What it showed when a user began to change it."""
    last: Any = None
    """What it was set to, or showed, the last time."""
    changed_at: float = -math.inf
    refused_at: float = -math.inf
    """When it last went back to the value before."""

    def take(self, state: Any) -> None:
        """Do what the user says. Raises InputError for what can't be."""
        now, at = self.read(state), time.monotonic()
        if at - self.changed_at >= RUN_S:
            self.before = now
        self.changed_at = at
        value = numbers_in(self.handle.value, self.handle.label, now) if self.is_typed else self.handle.value
        self.write(value)
        self.last = value

    def show(self, state: Any) -> None:
        """Show the state's value; numbers that are these already stay as they were typed."""
        value = self.read(state)
        if value != self.last:  # by something else than this input, such as undoing
            self.last, self.changed_at = value, -math.inf
        if self.is_typed:
            with suppress(InputError):
                if numbers_in(self.handle.value, "", value) == value:
                    return
            value = text_of(value)
        self.handle.value = value

    def show_again(self) -> None:
        """Send what it holds to all browsers, though it is the same: viser sends what differs, and never to the sender.

        A number typed while the refusal of what stood there was on its way is taken, but its browser then shows the
        refusal's number in its place.
        """
        value = self.handle.value
        self.handle.value = value + " "
        self.handle.value = value


class Fields:
    """Inputs that follow the document. What can't be, and stays, is told, and the input shows the old value again."""

    def __init__(self, document: Source, tell: Tell) -> None:
        self._source_of_state, self._tell = document, tell
        self._fields: list[Field] = []
        self._changing: Field | None = None

    def bind(self, handle: Any, read: Callable[[Any], Any], write: Callable[[Any], object]) -> Any:
        """Let an input show what `read` says of a state, and `write` what a user sets it to; returns the input."""
        return self._bound(Field(handle, read, write))

    def bind_numbers(
        self, gui: viser.GuiApi, label: str, read: Callable[[Any], Any], write: Callable[[Any], object], **options: Any
    ) -> Any:
        """Add an input for a number, or a tuple of up to three, with viser's `options`, and bind it; returns it."""
        handle = gui.add_text(label, text_of(read(self._source_of_state.state)), **options)
        return self._bound(Field(handle, read, write, is_typed=True))

    def _bound(self, field: Field) -> Any:
        self._fields.append(field)

        @field.handle.on_update
        async def changed(event: Any) -> None:  # in the event loop, so that changes keep their order
            if event.client is None:  # `refresh`
                return
            self._changing = field
            try:
                field.take(self._source_of_state.state)
            except InputError as error:
                value = field.handle.value
                is_chosen = isinstance(value, bool | str) and not field.is_typed
                asyncio.get_running_loop().call_later(
                    0.0 if is_chosen else PATIENCE_S, self._refuse, field, value, event.client, str(error)
                )
            finally:
                self._changing = None
            if field.is_typed and time.monotonic() - field.refused_at < CROSSING_S:
                field.show_again()

        return field.handle

    def _refuse(self, field: Field, value: Any, client: viser.ClientHandle, message: str) -> None:
        """Tell what is wrong with a value, if it still stands there, and go back to that before it was begun."""
        if field not in self._fields or field.handle.value != value:
            return
        self._tell(client, message)
        field.changed_at, field.refused_at = -math.inf, time.monotonic()
        if field.read(self._source_of_state.state) != field.before:
            with suppress(InputError):  # of what others changed meanwhile
                field.write(field.before)
        field.show(self._source_of_state.state)

    def button(self, handle: Any, press: Callable[[viser.ClientHandle | None], object]) -> Any:
        """Let a button do something, and tell what fails; returns the button."""

        @handle.on_click
        async def pressed(event: Any) -> None:
            try:
                press(event.client)
            except InputError as error:
                self._tell(event.client, str(error))

        return handle

    def upload(self, handle: Any, take: Callable[[viser.ClientHandle | None, str, bytes], object]) -> Any:
        """Let a button take a file, name and content, that a browser sends, and tell what fails; returns the button."""

        @handle.on_upload
        async def uploaded(event: Any) -> None:
            try:
                take(event.client, event.target.value.name, event.target.value.content)
            except InputError as error:
                self._tell(event.client, str(error))

        return handle

    def clear(self) -> None:
        """Remove all inputs."""
        for field in self._fields:
            field.handle.remove()
        self._fields.clear()

    def refresh(self, state: Any) -> None:
        """Show the state's values, but in the input that it comes from."""
        for field in self._fields:
            if field is not self._changing:
                field.show(state)
