"""Commands for questions and exports."""
