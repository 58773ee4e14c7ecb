"""Pure functions on time: from tags to appearances, truth files, scores and timeline pictures."""
