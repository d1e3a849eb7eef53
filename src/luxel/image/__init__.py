"""Images: colour and tone maps, files, losses and metrics."""
