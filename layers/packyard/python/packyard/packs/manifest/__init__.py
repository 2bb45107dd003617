"""pack.yaml: parsing the document and checking its keys."""
