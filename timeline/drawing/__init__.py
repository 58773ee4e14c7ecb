"""Pictures and pages of a timeline."""
