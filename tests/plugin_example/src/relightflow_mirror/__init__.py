"""A plugin for relightflow: the backend `mirror` and the sink `zip-file`."""
