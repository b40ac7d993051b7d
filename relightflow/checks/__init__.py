"""Checks: is it the light that was paid for? Pure functions on small copies of images, and what runs
them over a plan or a manifest. Nothing here asks a network or buys anything."""
