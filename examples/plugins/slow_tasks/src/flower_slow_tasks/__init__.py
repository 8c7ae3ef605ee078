"""An example plugin of Flower: an event sink that logs tasks which took too long."""
