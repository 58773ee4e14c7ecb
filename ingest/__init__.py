"""From an episode file to small frames with exact time: the only package that opens media."""
