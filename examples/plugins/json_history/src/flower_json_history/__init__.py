"""An example plugin of Flower: tasks kept over a restart in a JSON file."""
