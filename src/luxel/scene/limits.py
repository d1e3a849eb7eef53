"""How large a scene's numbers may be: what float32, in which scenes are traced and learned, is comfortable with."""

MIN_LENGTH, MAX_LENGTH = 1e-6, 1e6
"""Of what has a size, in scene units; coordinates lie in ±MAX_LENGTH, where float32's steps are of 1/16."""
MAX_RADIANCE = 1e6
"""Of a channel, in W·sr⁻¹·m⁻²; and of the factors that radiance is multiplied by."""
