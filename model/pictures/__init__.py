"""Pictures, regions and boxes: what everything else works on."""
