"""The local stack under a mixed load while what it relies on fails: nothing may be lost, leaked or answered wrongly."""
