"""Where a frame meets a label and a row: settings, runs and chunks, the embedded runner."""
