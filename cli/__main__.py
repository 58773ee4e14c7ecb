"""`python -m cli` is `castline`, for where the console script is not on the path."""

from cli.main import main

main()
