"""The web server: an API and pages over the package `castline`."""
