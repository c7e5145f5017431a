"""Tests of gen/cost/."""
