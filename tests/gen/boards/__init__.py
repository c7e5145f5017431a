"""Tests of gen/boards/."""
