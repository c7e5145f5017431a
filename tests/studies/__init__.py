"""Studies that take hours."""
