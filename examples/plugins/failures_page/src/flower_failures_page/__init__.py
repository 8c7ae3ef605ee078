"""An example plugin of Flower: a live page with a chart, and a way to it."""
