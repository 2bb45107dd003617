"""pack.yaml: the document, and what its keys may say."""
