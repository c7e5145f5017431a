"""The search spaces: which hybrid networks there are."""
