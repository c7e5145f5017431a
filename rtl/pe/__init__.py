"""Processing elements, one file per kind of operator."""
