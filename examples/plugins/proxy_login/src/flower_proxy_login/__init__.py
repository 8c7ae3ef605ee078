"""An example plugin of Flower: people whom a proxy in front of Flower has let in."""
