"""Damaged and hostile files of every kind that shiftadd reads: understood, or one line.

`python -m tests.fuzz` (`make fuzz`) tries thousands, from a seed; see `tests.fuzz.outcome`.
"""
