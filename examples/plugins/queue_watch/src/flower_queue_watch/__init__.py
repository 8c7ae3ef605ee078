"""An example plugin of Flower: a service that warns when a queue grows too long."""
