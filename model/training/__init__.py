"""From stills to weights."""
