"""Scenes in tensors, and the one copy of geometry and optics: Warp functions on them, for CPUs and CUDA."""
