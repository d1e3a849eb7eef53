"""Inputs of the page that show a value of the document, and change it."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import viser

from luxel import InputError
from luxel.viewer.document import Document, State

PATIENCE_S = 2.0
"""How long a number that can't be may stand: of 0.5 a browser sends 0 first."""
Tell = Callable[[viser.ClientHandle | None, str], object]
"""Shows a message in a tab, or in all of them."""


class Field(NamedTuple):
    """An input, and what it shows of a state."""

    handle: Any
    read: Callable[[State], Any]


class Fields:
    """Inputs that follow the document. What can't be, and stays, is told, and the input shows the old value again."""

    def __init__(self, document: Document, tell: Tell) -> None:
        self.document, self._tell = document, tell
        self._fields: list[Field] = []
        self._source: Any = None

    def bind(self, handle: Any, read: Callable[[State], Any], write: Callable[[Any], object]) -> Any:
        """Let an input show what `read` says of a state, and `write` what a user sets it to; returns the input."""
        field = Field(handle, read)
        self._fields.append(field)

        @handle.on_update
        async def changed(event: Any) -> None:  # in the event loop, so that changes keep their order
            if event.client is None:  # `refresh`
                return
            self._source = handle
            try:
                write(handle.value)
            except InputError as error:
                delay_s = 0.0 if isinstance(handle.value, bool | str) else PATIENCE_S
                asyncio.get_running_loop().call_later(
                    delay_s, self._refuse, field, handle.value, event.client, str(error)
                )
            finally:
                self._source = None

        return handle

    def _refuse(self, field: Field, value: Any, client: viser.ClientHandle, message: str) -> None:
        """Tell what is wrong with a value, and show what the document has, if it still stands there."""
        if field in self._fields and field.handle.value == value:
            self._tell(client, message)
            field.handle.value = field.read(self.document.state)

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

    def refresh(self, state: State) -> None:
        """Show the state's values, but in the input that it comes from."""
        for field in self._fields:
            if field.handle is not self._source:
                field.handle.value = field.read(state)


def floats(value: Any) -> Any:
    """Numbers as a scene has them."""
    return tuple(map(float, value)) if isinstance(value, tuple) else float(value)
