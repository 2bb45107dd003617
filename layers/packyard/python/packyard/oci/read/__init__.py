"""Reading images, built by the service or by third parties: documents, layers, and indexes of their files."""
