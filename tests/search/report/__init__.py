"""Tests of search/report/."""
