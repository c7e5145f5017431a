"""Tests of gen/support/."""
