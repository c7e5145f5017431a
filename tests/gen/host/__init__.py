"""Tests of gen/host/."""
