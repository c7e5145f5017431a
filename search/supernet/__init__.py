"""The supernet: all networks of a space in one set of shared weights, and its training."""
