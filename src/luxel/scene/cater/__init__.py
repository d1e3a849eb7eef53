"""Videos after CATER: what is in them, how it moves, and what is said of it."""
