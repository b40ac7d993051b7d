"""Where finished images go: one sink a file."""
