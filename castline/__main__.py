"""`python -m castline` is the `castline` command."""

from cli.__main__ import main

main()
