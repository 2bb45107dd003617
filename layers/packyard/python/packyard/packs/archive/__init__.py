"""Reading an untrusted `.tar.gz`: gzip, tar, pax, paths, bounds."""
