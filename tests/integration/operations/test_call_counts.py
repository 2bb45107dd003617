"""What each operation calls, against the table of the architecture page."""

from tests.call_counts import documented, table


def test_the_documented_calls_are_the_counted_ones() -> None:
    counted = table()

    assert documented() == counted
    assert "| `GET /packs/{id}` | 1 GetItem |  |" in counted
    assert "| `PATCH /packs/{id}` | 1 GetItem, 1 TransactWriteItems |  |" in counted
