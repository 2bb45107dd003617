"""Registries of third parties, read-only, and the guard before the network."""
