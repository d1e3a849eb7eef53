"""Data sets: shards, resumable generation, loading."""
