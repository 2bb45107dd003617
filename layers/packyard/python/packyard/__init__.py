"""Packyard: a multi-tenant control plane for content packs shipped as OCI images."""
