"""Read stills from folders and files of boxes."""
