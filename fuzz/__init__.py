"""Fuzzing: every input from outside must be accepted, or refused as documented, in bounded time.

Each module of `targets` tests one reader of untrusted input:

- `check(data)` gives it an input. It returns if the input is accepted and the result is right, or if the input is
  refused with an error that the reader documents. Everything else is raised, and is a finding.
- `seeds()` yields inputs to start from.
- `mutate(data, max_bytes, seed, at_random)`, where there is one, knows the format better than `at_random`, which
  flips bits.

`corpus/<target>/` holds inputs to keep: minimised ones that reach code which the seeds do not, and, under names, those
that once broke something. `python -m fuzz` explores from there; plain pytest replays them.
"""
