"""Named entities by a model: the one that is trained here, or one that the configuration names."""
