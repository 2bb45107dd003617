"""Compares Packyard's main work with the tools that an engineer would use instead: `make bench`."""
