"""OCI values and documents: bytes in, bytes out. No AWS; the wire is in `packyard.registry`."""
