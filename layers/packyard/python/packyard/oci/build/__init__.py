"""Building an image: tree, layer, compression, documents."""
