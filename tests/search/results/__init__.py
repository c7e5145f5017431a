"""Tests of search/results/."""
