"""A run and the store that several machines share."""
