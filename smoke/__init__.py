"""A trial of one deployment, by HTTPS and its registry alone: `make smoke STACK=NAME`.

Works in two organisations of its own, which it makes before and removes afterwards. Shares no code with the service but
the operator's commands and the table's keys, by which those are made and removed.
"""
