"""From tags to appearances."""
