"""S3: staged archives, file indexes, downloads."""
