"""Tests of shiftadd/."""
