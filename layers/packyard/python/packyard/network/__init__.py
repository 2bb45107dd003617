"""The network: the one guard for connections to hosts that clients or third parties name (decision 10)."""
