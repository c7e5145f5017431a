"""Tests of model.data."""
