"""Where Flower 2.x kept its helpers: only what its documentation names is still here."""
