"""From an episode file to small frames with exact times: the only package that opens media."""
