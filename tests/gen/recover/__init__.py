"""Tests of gen/recover/."""
