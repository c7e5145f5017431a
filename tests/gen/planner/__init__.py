"""Tests of gen/planner/."""
