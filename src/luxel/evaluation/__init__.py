"""Evaluation: metrics over a test set, and reports."""
