"""Careful connections for whoever reaches out: addresses, checked resolving, capped reading."""
