"""The scanner: what a pack holds that could leak a secret or harm who runs it (API contract, section 11, "Scans").

It reads bytes and answers with findings. It uses no network and no AWS. Only `engine` imports yara-x, when it is made.
"""
