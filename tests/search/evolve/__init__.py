"""Tests of search/evolve/."""
