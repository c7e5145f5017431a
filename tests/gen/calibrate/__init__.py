"""Tests of gen/calibrate/."""
