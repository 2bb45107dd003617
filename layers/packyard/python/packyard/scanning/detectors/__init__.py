"""Rules that need code points, names or structure, which patterns of bytes cannot tell."""
