"""Standard library only, and nothing about images: what every other package may use."""
