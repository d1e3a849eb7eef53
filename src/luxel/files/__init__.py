"""Files: written whole or not at all, read with every check that their kind allows."""
