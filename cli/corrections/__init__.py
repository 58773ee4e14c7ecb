"""Commands for corrections of answers."""
