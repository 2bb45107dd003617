"""SQS: the queues, their messages, and what consumes them."""
