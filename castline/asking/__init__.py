"""Questions and exports: names, answers, scores and files for other tools."""
