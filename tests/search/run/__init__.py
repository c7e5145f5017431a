"""Tests of search/run/."""
