"""The nouns: frozen, hashable, standard library only. Every other room speaks in them."""
