"""Measures what Packyard does for a living beside what an engineer would use instead: `make bench`."""
