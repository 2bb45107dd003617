"""SQS: the queues, their messages and their consumers."""
