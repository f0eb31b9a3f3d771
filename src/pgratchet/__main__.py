"""`python -m pgratchet`."""

from pgratchet.cli import main

main()
