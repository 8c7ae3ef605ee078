"""An example plugin: card numbers are hidden before anything is kept."""
