"""An example plugin of Flower: pages made by the standard library's templates."""
