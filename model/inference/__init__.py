"""From frames to calibrated confidences."""
