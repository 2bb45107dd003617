"""Registries that speak the OCI distribution protocol: our own, Amazon ECR included, and third parties'."""
