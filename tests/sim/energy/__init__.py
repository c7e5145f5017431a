"""Tests of sim.energy."""
