"""Figures of points and particles: from files and arrays to scenes that look right at once."""
