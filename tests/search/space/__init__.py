"""Tests of search/space/."""
