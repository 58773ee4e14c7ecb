"""Parsers of annotation files with bounding boxes, one module per format; start at `sources`."""
