"""Evaluation: metrics over a test set, comparisons and reports."""
