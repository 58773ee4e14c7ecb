"""Files in which boxes are written down, one module per format; begin at `sources`."""
