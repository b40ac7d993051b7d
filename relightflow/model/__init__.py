"""The nouns: frozen, hashable, standard library only. Every other package speaks in them."""
