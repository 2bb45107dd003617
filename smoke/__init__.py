"""A trial of one deployment, by HTTPS and its registry only: `make smoke STACK=NAME`.

It works in two organisations that it creates first and removes afterwards. For that it shares the operator's commands
and the table's keys with the service, and no other code.
"""
