"""How strangers add sources, backends, sinks and checks; our own come in through the same door."""
