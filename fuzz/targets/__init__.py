"""The fuzzed readers, one module each."""
