"""Pure functions on time: tags to appearances, truth, scores, pictures of a timeline."""
