"""What a scene is: its description, its distributions, its camera and its tokens."""
