"""Settings of the whole suite."""

import signal

import torch
from hypothesis import settings

settings.register_profile("luxel", deadline=None, derandomize=True)  # tests never time anything, nor flake
settings.load_profile("luxel")
torch.set_num_threads(1)  # models here are tiny; two threads would only wait for each other
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores for what it runs in the background
