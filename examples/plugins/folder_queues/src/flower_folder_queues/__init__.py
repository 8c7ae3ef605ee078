"""An example plugin of Flower: queue lengths of a broker that is a folder."""
