"""An example plugin of Flower: a link from each task to its trace."""
