import pytest

from packyard.packs.manifest.document_form import ANYTHING, Fault, FaultKind, Keys, ListOf, Text


def refuse_capitals(text: str) -> None:
    if text != text.lower():
        raise ValueError("must be in lower case")


FORM = Keys(
    required={"name": Text(refuse_capitals)},
    optional={"tags": ListOf(Text(refuse_capitals), least=1, most=3), "more": ANYTHING},
)


@pytest.mark.parametrize(
    "document",
    [{"name": "a"}, {"name": "", "tags": ["a", "b", "c"]}, {"more": None, "name": "a"}],
    ids=",".join,
)
def test_a_document_of_the_form_has_no_fault(document: object) -> None:
    assert list(FORM.faults(document, ())) == []


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], Fault(FaultKind.NO_MAPPING, (), [])),
        ({}, Fault(FaultKind.MISSING, ("name",))),
        ({"name": None}, Fault(FaultKind.NO_TEXT, ("name",), None)),
        ({"name": True}, Fault(FaultKind.NO_TEXT, ("name",), True)),
        ({"name": "A"}, Fault(FaultKind.REFUSED, ("name",), "A", "must be in lower case")),
        ({"name": "a", "nmae": 1}, Fault(FaultKind.UNKNOWN_KEY, ("nmae",))),
        ({"name": "a", "tags": "a"}, Fault(FaultKind.NO_LIST, ("tags",), "a")),
        ({"name": "a", "tags": []}, Fault(FaultKind.TOO_SHORT, ("tags",), [])),
        ({"name": "a", "tags": [0] * 4}, Fault(FaultKind.TOO_LONG, ("tags",), [0] * 4)),
        ({"name": "a", "tags": ["a", 0]}, Fault(FaultKind.NO_TEXT, ("tags", 1), 0)),
    ],
)
def test_a_value_of_another_form_is_a_fault_at_its_path(document: object, fault: Fault) -> None:
    assert list(FORM.faults(document, ())) == [fault]


def test_all_faults_are_found_those_of_known_keys_first_and_in_the_order_of_the_form() -> None:
    faults = FORM.faults({"b": 1, "tags": [0, "A"], "a": 2}, ("packs", 0))

    assert [fault.path for fault in faults] == [
        ("packs", 0, "name"),
        ("packs", 0, "tags", 0),
        ("packs", 0, "tags", 1),
        ("packs", 0, "b"),
        ("packs", 0, "a"),
    ]
