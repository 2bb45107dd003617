"""The composition root: settings, clients, services; nothing else reads the environment, the clock or randomness."""
