"""Fuzzing: whatever comes in from outside is taken, or refused as documented; nothing else, and never slowly.

Each module of `targets` is about one reader of hostile input:

- `check(data)` gives it an input. It returns when the input is taken, and what was taken is what it has to be, or when
  it is refused with an error that the reader documents. All else is raised, and is a finding.
- `seeds()` yields inputs to start from.
- `mutate(data, max_bytes, seed, at_random)`, where there is one, knows the format better than `at_random`, which
  flips bits.

`corpus/<target>/` holds the inputs that were worth keeping: those that reach something that the seeds do not, made
small, and by name those that once broke something. `python -m fuzz` explores from there; plain pytest replays them.
"""
