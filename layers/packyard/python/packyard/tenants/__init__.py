"""Who uses the service: organisations, their keys, the caller behind a credential. No AWS and no network."""
