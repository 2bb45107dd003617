"""What `packyard admin` does. It uses the table, the queues and ECR directly, with AWS credentials.

It needs the extra `admin` (boto3 and python-ulid), so `packyard_cli` imports it only when such a command runs.
"""
