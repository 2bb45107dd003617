"""What all that talks to AWS shares."""
