"""Texts that several refusals have in common."""
