"""Building an image: the file tree, the layer, its compression, and the documents."""
