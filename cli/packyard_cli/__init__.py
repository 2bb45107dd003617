"""The `packyard` command: checks, packs and publishes packs, and installs what a role pins."""
