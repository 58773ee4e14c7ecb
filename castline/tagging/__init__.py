"""Work on episodes: what is put into the queue, done here, followed, and run again."""
