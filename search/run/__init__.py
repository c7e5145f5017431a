"""A search as it runs: the request, its rounds, the run directory, where the work is done."""
