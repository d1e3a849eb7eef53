"""Ground truth: path tracers behind one protocol."""
