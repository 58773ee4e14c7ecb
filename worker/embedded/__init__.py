"""All steps on this machine, without a server."""
