"""The HTML report of a run: one file, opened by path, that loads nothing from anywhere."""
