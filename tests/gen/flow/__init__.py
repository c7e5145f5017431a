"""Tests of gen/flow/."""
