"""An example plugin of Flower: a column on the tasks page that says whose task it is."""
