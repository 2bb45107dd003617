"""Signed statements about images: what they say, how they are signed, how they are attached and verified."""
