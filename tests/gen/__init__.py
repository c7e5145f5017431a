"""Tests of gen/."""
