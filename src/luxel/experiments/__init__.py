"""Every experiment, one function each, that returns a whole configuration."""
