"""How random a text is, which tells a key from a name."""

import math
from collections import Counter


def entropy(data: bytes) -> float:
    """Return the Shannon entropy of some bytes, in bits per byte; 0 for none."""
    if not data:
        return 0.0
    total = len(data)
    return -sum(count / total * math.log2(count / total) for count in Counter(data).values())
