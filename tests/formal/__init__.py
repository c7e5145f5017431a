"""`make formal`."""
