"""An example plugin of Flower: all metrics as JSON."""
