"""Objectives, scores and evolution."""
