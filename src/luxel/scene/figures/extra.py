"""Packages of the optional extras `particles` and `exchange`, imported where they are first needed."""

from importlib import import_module
from typing import Any

from luxel import InputError


def optional_module(module: str, source: str = "this", extra: str = "particles") -> Any:
    """The module. Raises InputError, with how to install it, if it is missing; `source` is what needs it."""
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise InputError(f"{source} needs {package}: pip install 'luxel[{extra}]' ({error})") from None
