"""Tests of gen/engine/."""
