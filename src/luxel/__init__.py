"""Luxel: a feed-forward neural renderer. A scene of ellipsoids in, an HDR image out.

Importing the package is light: torch and Mitsuba load where they are first used.
"""

__version__ = "0.1.0"


class InputError(ValueError):
    """A file, folder or option that is not as it must be; the message says which, and the remedy.

    The command line prints it without a traceback.
    """
