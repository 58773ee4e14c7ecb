"""Pictures, regions and boxes: the basis of all other packages."""
