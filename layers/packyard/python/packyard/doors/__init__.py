"""What agents' own clients install from: one module for each client's form, bytes out (API contract, section 12)."""
