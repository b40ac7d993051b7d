"""One table of faults for every provider: what a server does, and what must come of it."""
