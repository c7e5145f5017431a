"""Tests of gen/deploy/."""
