"""A page without a browser: inputs that keep their values, and say that a user has set them."""

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace

import viser

from luxel.viewer.notices import Notices

USER = object.__new__(viser.ClientHandle)
"""Whoever sits at the browser."""


class ImpatientLoop(asyncio.SelectorEventLoop):
    """Does what is to be done later as soon as nothing else is to be done."""

    def call_later(self, delay, callback, *args, context=None):
        return self.call_soon(callback, *args, context=context)


class Handle:
    def __init__(self, gui, label, value=None, **properties):
        self.gui, self.label, self._value = gui, label, value
        self.callbacks, self.sent = [], []
        self.__dict__.update(properties)

    @property
    def value(self):
        return self._value

    @value.setter
    def value(self, value):
        """Send it to the browsers, if it differs."""
        if value != self._value:
            self._value = value
            self.sent.append(value)

    def on_update(self, callback):
        self.callbacks.append(callback)
        return callback

    on_click = on_upload = on_update

    def remove(self):
        del self.gui.inputs[self.label]

    def user_sets(self, *values):
        """One value soon after the other; and waits for what comes of that."""
        with asyncio.Runner(loop_factory=ImpatientLoop) as runner:
            runner.run(self._told(values or (True,)))

    async def _told(self, values):
        for self._value in values:
            for callback in self.callbacks:
                await callback(SimpleNamespace(client=USER, target=self))
        await asyncio.sleep(0)


class Folder(nullcontext):
    def remove(self):
        pass


class FakeGui(viser.GuiApi):
    def __init__(self):
        self.inputs, self.told = {}, []

    def __getitem__(self, label):
        return self.inputs[label]

    def tell(self, client, message):
        self.told.append(message)

    def _add(self, label, value=None, **properties):
        self.inputs[label] = Handle(self, label, value, **properties)
        return self.inputs[label]

    def add_folder(self, title):
        folder = Folder()
        return _entered(folder)

    def add_dropdown(self, label, options, *, initial_value, hint=None):
        return self._add(label, initial_value, options=tuple(options))

    def add_slider(self, label, low, high, step, value, *, hint=None, disabled=False):
        assert low <= value <= high
        return self._add(label, value, disabled=disabled)

    def add_button_group(self, label, options):
        return self._add(label, options[0])

    def add_button(self, label, **_):
        return self._add(label)

    add_upload_button = add_button

    def add_value(self, label, value, **_):
        return self._add(label, value)

    add_vector2 = add_vector3 = add_number = add_rgb = add_text = add_checkbox = add_value


class FakeNotices(Notices):
    """Says all to a page."""

    def __init__(self, gui):
        self.complain = self.inform = gui.tell


class _entered:
    """viser's folders are entered to be filled, and are their own context."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        return self.folder

    def __exit__(self, *_):
        pass
