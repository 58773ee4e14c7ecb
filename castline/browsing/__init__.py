"""What a browser shows of a library: pages of episodes and runs, pictures, the video itself."""
