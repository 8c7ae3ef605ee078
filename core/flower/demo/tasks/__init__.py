"""What the shop's workers do, one module per queue. How a call ends depends on its data, never on chance."""
