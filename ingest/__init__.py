"""Episode files: probing, chunks, exact sampling, picture area, the frame store."""
