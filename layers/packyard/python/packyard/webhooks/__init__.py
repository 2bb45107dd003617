"""Webhooks: what an organisation asks to be told, how it is signed, and when it is sent again. No AWS, no network."""
