"""Passes over netlists that the tools do not make."""
