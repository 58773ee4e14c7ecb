"""Inference: from frames to calibrated confidences."""
