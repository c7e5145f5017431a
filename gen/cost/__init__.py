"""Predicted cost: counted features with measured prices, the clock, and energy."""
