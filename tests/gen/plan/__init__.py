"""Tests of gen/plan/."""
