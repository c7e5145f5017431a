"""Tests of sim/verify/."""
