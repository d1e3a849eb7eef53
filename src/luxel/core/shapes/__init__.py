"""One file a shape, and what holds for all of them; see DESIGN.md's Shape contract."""
