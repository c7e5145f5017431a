"""Tests of sim/formal/."""
