"""Agent Skills: what a `SKILL.md` says of a pack (API contract, section 12)."""
