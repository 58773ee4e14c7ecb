"""Stills in people's folders and files of boxes, read."""
