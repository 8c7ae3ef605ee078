"""An example plugin of Flower: a metric of the tasks in memory by state."""
