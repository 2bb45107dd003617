"""`make doors`: every agent's own client installs through its door of a local stack, and what arrives is compared."""
