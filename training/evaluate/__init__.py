"""Measures a model folder on held-out material; `python3 training/evaluate --help`."""
