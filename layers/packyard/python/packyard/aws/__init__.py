"""Helpers for all modules that call AWS."""
