"""relightflow turns YAML recipes into relit images: checked, priced, bought once, and recorded."""
