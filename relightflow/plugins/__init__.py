"""How strangers add sources, backends and sinks; our own come in through the same door."""
