"""Messages in the corner of a tab: red for what was not done and why, green for what was."""

from collections.abc import Callable, Iterable
from typing import Literal

import viser

SHOWN_S = {"red": 12.0, "green": 6.0}
"""For how long; what went wrong is longer to read."""


class Notices:
    """Shows messages in one tab, or in all `tabs` that are open where it is told none."""

    def __init__(self, tabs: Callable[[], Iterable[viser.ClientHandle]]) -> None:
        self._tabs = tabs

    def complain(self, client: viser.ClientHandle | None, message: str) -> None:
        """What was not done, and what to do about it."""
        self._show(client, "Not done", message, "red")

    def inform(self, client: viser.ClientHandle | None, message: str) -> None:
        """What was done."""
        self._show(client, "Done", message, "green")

    def _show(
        self, client: viser.ClientHandle | None, title: str, message: str, color: Literal["red", "green"]
    ) -> None:
        for one in [client] if client is not None else [*self._tabs()]:
            one.add_notification(title, message, auto_close_seconds=SHOWN_S[color], color=color)
