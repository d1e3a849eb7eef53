"""What stands beside the picture: inputs for a scene, its objects and how they are shown."""
