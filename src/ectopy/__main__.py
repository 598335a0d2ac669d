"""`python -m ectopy` is the command `ectopy`."""

from ectopy.cli import main

main()
