"""Names that a typing error makes of each other (Damerau-Levenshtein distance 1)."""


def deletions(name: str) -> list[str]:
    """Return the names that come of leaving out one letter."""
    return [name[:place] + name[place + 1 :] for place in range(len(name))]


def is_near(name: str, other: str) -> bool:
    """Return whether one letter more, less or another, or two that change places, make one name the other."""
    if abs(len(name) - len(other)) > 1:
        return False
    if len(name) == len(other):
        different = [place for place in range(len(name)) if name[place] != other[place]]
        if len(different) == 1:
            return True
        return (
            len(different) == 2  # noqa: PLR2004 - two that change places
            and different[1] == different[0] + 1
            and name[different[0]] == other[different[1]]
            and name[different[1]] == other[different[0]]
        )
    longer, shorter = (name, other) if len(name) > len(other) else (other, name)
    return shorter in deletions(longer)
