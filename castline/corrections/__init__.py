"""Corrections of answers: judging, listing, reviewing, and collecting stills from them."""
