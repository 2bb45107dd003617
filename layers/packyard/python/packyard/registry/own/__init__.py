"""The registry that holds our images: pushing, deleting, what Amazon ECR adds."""
