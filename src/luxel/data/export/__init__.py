"""Data sets in the layouts that other programs read."""
