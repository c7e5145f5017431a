"""`python -m shiftadd`."""

from shiftadd.cli import command

command()
