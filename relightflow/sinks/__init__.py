"""Where finished pictures go: one sink a file."""
