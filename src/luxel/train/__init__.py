"""Training: the loop, its optimisation, its runtime and its checkpoints."""
