"""`python -m shiftadd`."""

from shiftadd import command

command()
