"""Tests of search/studies/."""
