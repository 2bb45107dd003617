"""What a pack is: its name, version, manifest, archive and record. No AWS and no network."""
