"""`make demo`: plays the tutorial with the real command on the local stack, and draws it."""
