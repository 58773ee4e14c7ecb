"""The drawn cast of `castline demo`."""
