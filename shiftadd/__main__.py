"""`python -m shiftadd`."""

from shiftadd.process import command

command()
