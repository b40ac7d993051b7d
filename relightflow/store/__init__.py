"""Result bytes by their hash: the primary artefact, never evicted silently."""
