"""Reads from registries of third parties, and the guard that decides which hosts may be reached."""
