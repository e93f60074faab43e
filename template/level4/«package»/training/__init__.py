"""From collected data to a registered model."""
