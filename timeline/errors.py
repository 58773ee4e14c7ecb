"""What goes wrong in this package; imports nothing of it."""


class TimelineError(Exception):
    """A time, a rule, a range or a truth file that cannot be used; one line says why."""
