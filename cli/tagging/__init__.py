"""Commands that request, follow and report runs."""
