"""Events: from the broker through the gateway and the pump to the state, and what is known of that stream."""
