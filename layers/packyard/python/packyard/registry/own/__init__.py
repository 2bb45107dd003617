"""The registry that holds our images: push, delete, login, and the parts that are specific to Amazon ECR."""
