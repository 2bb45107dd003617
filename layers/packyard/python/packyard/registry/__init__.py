"""The OCI distribution protocol, and what Amazon ECR adds to it."""
