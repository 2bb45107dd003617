"""Who uses the service: organisations, API keys, JWTs and callers. No AWS and no network."""
