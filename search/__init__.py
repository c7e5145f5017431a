"""The hybrid search space, the supernet and the evolution."""
