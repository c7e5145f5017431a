"""Tests, one file per file of a room, and the benches of `make bench`."""
