"""Signatures of images that this service did not build: policies on them, and their verification."""
