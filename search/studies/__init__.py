"""Studies of the search and of the cost model, over many runs."""
