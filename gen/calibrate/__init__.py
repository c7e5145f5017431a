"""Measured layers and networks, to which the cost model is fitted and by which it is judged."""
