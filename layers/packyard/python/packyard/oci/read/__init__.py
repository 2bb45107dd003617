"""Reading images, ours and those of third parties: documents, layers, the index of their files."""
