"""Packages of the optional extra `particles`, imported where they are first needed."""

from importlib import import_module
from typing import Any

from luxel import InputError

INSTALL = "pip install 'luxel[particles]'"


def needed(module: str, source: str = "this") -> Any:
    """The module. Raises InputError, with how to install it, if it is missing; `source` is what needs it."""
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise InputError(f"{source} needs {package}: {INSTALL} ({error})") from None
