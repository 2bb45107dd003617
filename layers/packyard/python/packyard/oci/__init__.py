"""OCI references, digests, documents and layers. No AWS and no network: `packyard.registry` talks to registries."""
