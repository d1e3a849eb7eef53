"""Luxel: a feed-forward neural renderer. A scene of simple solids in, an HDR image out.

Importing the package is light: torch, Warp and Mitsuba load where they are first used.
"""

import os

# Threads of torch's OpenMP that wait by spinning hold the cores which the others need: beside two busy processes on two
# cores a frame of 0.016 s took 0.2 to 0.4 s. OpenMP reads this when torch is loaded, so it must be set before.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"


class InputError(ValueError):
    """A file, folder or option that is not as it must be; the message says which, and the remedy.

    The command line prints it without a traceback.
    """
