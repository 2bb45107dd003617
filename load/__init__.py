"""A mixed load on the local stack while AWS and the registry fail: nothing may be lost, leaked or answered wrongly."""
