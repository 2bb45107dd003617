"""HTTP in, HTTP out: routing, callers, error mapping, request and response shapes."""
