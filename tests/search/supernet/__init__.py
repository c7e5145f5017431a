"""Tests of search/supernet/."""
