"""An example plugin of Flower: one page and a way to it."""
