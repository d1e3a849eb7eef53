"""Scenes and pictures in a notebook: still ones, and an orbiting view (docs/notebook.md)."""
