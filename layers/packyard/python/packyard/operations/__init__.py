"""One module per use case. Everything they touch arrives as an argument."""
