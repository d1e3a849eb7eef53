"""Rays and ellipsoids in tensors: what the path tracer and the ray model have in common."""
