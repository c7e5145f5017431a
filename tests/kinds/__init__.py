"""Tests of kinds that are added by adding files."""
