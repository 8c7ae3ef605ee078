"""An example plugin of Flower: events from a socket, one a line."""
