"""The ministry's file of transitions, and what it suggests for the schools of the registry."""

from datetime import date

import pytest

from broker.domain.document_reading import parse_document
from broker.domain.documents import DocumentProblem, Kind, RelationDocument
from broker.domain.federation import Relation, RelationKind, State, Supplier
from broker.domain.registry import Registry, build_registry
from broker.flow.federation.relation_import import (
    WORDS,
    Proposals,
    Skipped,
    read_transitions,
    write_proposal,
)
from tests.domain.federation_records import a_relation, a_school, a_supplier, an_agreement

TODAY = date(2026, 9, 7)
NAMES = (
    '"NR_ADMIN_VAN","CODE_FUNCTIE_VAN","NR_ADMIN_NAAR","DT_OVERGANG","NAAM_OVERGANG",'
    '"IND_VOLLEDIG","CODE_STAND_RECORD"'
)
BRINS = {"vuurvogel": "11AA", "regenboog": "33CC", "samenklank": "55EE", "eenklank": "66FF"}


def a_line(old: str, new: str, *, day: str = "01-08-2026", whole: str = "J", how: str = "A") -> str:
    return f'"{old}","U","{new}","{day}","een naam","{whole}","{how}"'


def a_registry(*, lively: str = "", relations: tuple[Relation, ...] = ()) -> Registry:
    supplier: Supplier = a_supplier()
    return build_registry(
        1,
        schools=[
            *(a_school(school, brin=brin) for school, brin in BRINS.items()),
            a_school("west", brin="77GG", branch="77GG01"),
            a_school("oost", brin="77GG", branch="77GG02"),
            a_school("echt", brin="11AA", state=State.PRODUCTION),
        ],
        idps=(),
        suppliers=[supplier],
        agreements=[an_agreement(school=lively)] if lively else [],
        relations=relations,
    )


def read(*lines: str, registry: Registry | None = None, names: str = NAMES) -> Proposals:
    return read_bytes("\r\n".join((names, *lines)).encode(), registry=registry)


def read_bytes(content: bytes, registry: Registry | None = None) -> Proposals:
    return read_transitions(
        content, registry=registry or a_registry(), state=State.TEST, today=TODAY
    )


def proposed(found: Proposals) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [(each.kind.value, each.old, each.new) for each in found.proposals]


def test_two_schools_that_become_one_are_a_merge() -> None:
    found = read(a_line("11AA", "55EE"), a_line("33CC", "55EE"))
    assert proposed(found) == [("merge", ("vuurvogel", "regenboog"), ("samenklank",))]
    (merge,) = found.proposals
    assert (merge.first_day, merge.last_day) == (date(2026, 8, 1), date(2027, 7, 31))
    assert (merge.lines, found.skipped) == ((2, 3), {})


def test_one_that_becomes_another_is_renumbered() -> None:
    assert proposed(read(a_line("33CC", "66FF"))) == [("renumber", ("regenboog",), ("eenklank",))]


def test_one_that_goes_into_a_school_that_has_agreements_is_a_merge_of_both() -> None:
    found = read(a_line("33CC", "11AA"), registry=a_registry(lively="vuurvogel"))
    assert proposed(found) == [("merge", ("regenboog", "vuurvogel"), ("vuurvogel",))]
    assert found.proposals[0].goes_on == ("vuurvogel",)


def test_one_that_becomes_two_is_a_split() -> None:
    found = read(a_line("11AA", "55EE"), a_line("11AA", "66FF"))
    assert proposed(found) == [("split", ("vuurvogel",), ("samenklank", "eenklank"))]


def test_one_of_which_a_part_goes_over_goes_on() -> None:
    found = read(a_line("11AA", "55EE", whole="N"))
    assert proposed(found) == [("split", ("vuurvogel",), ("vuurvogel", "samenklank"))]


def test_changes_on_two_days_are_two_relations() -> None:
    found = read(a_line("11AA", "55EE"), a_line("33CC", "66FF", day="01-01-2027"))
    assert [each.last_day for each in found.proposals] == [date(2027, 7, 31), date(2028, 7, 31)]


def test_a_location_is_known_by_its_own_brin() -> None:
    found = read(a_line("77GG01", "55EE"), a_line("77GG", "66FF"))
    assert proposed(found) == [("renumber", ("west",), ("samenklank",))]
    assert found.skipped == {Skipped.SEVERAL_LOCATIONS: (3,)}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (a_line("1AAA", "55EE"), Skipped.MALFORMED),
        (a_line("11AA1", "55EE"), Skipped.MALFORMED),
        (a_line("11AA", "55EE", day="2026-08-01"), Skipped.MALFORMED),
        (a_line("11AA", "55EE", day="31-02-2026"), Skipped.MALFORMED),
        ('"11AA","U"', Skipped.MALFORMED),
        (a_line("11AA", "55EE") + ',"more"', Skipped.MALFORMED),
        (a_line("41234", "42345"), Skipped.NO_SCHOOLS),
        (a_line("11AA", "55EE", how="H"), Skipped.SUPERSEDED),
        (a_line("11AA", "55EE", day="01-08-2025"), Skipped.PAST),
        (a_line("00AA", "00BB"), Skipped.NOT_OURS),
        (a_line("11AA", "00BB"), Skipped.ONE_SIDE_OURS),
        (a_line("11AA", "11AA"), Skipped.KNOWN),
    ],
)
def test_what_suggests_nothing_is_told_with_its_reason(line: str, why: Skipped) -> None:
    found = read(a_line("33CC", "66FF"), line)
    assert len(found.proposals) == 1
    assert found.skipped == {why: (3,)}


def test_a_line_that_stands_there_twice_counts_once() -> None:
    found = read(a_line("33CC", "66FF"), a_line("33cc", "66FF"))
    assert len(found.proposals) == 1
    assert found.skipped == {Skipped.TWICE: (3,)}


def test_several_into_several_are_left_to_people() -> None:
    found = read(
        a_line("11AA", "55EE"),
        a_line("33CC", "55EE"),
        a_line("33CC", "66FF"),
    )
    assert found.proposals == ()
    assert found.skipped == {Skipped.MANY_TO_MANY: (2, 3, 4)}


def test_what_a_relation_says_already_is_not_proposed_again() -> None:
    registry = a_registry(relations=(a_relation(),))
    found = read(a_line("11AA", "55EE"), a_line("33CC", "55EE"), registry=registry)
    assert found.proposals == ()
    assert found.skipped == {Skipped.KNOWN: (2, 3)}
    other_day = a_registry(relations=(a_relation(first_day=date(2026, 8, 2)),))
    found = read(a_line("11AA", "55EE"), a_line("33CC", "55EE"), registry=other_day)
    assert len(found.proposals) == 1


def test_semicolons_latin_1_and_a_byte_order_mark() -> None:
    text = "\n".join((NAMES, a_line("33CC", "66FF").replace("een naam", "één naam")))
    for content in (
        text.replace(",", ";").encode(),
        text.encode("latin-1"),
        text.encode("utf-8-sig"),
    ):
        assert len(read_bytes(content).proposals) == 1


@pytest.mark.parametrize(
    ("names", "path"),
    [
        ("a,b,c", "NR_ADMIN_VAN"),
        (NAMES.replace("DT_OVERGANG", "DT"), "DT_OVERGANG"),
        (NAMES.replace("CODE_FUNCTIE_VAN", "NR_ADMIN_VAN"), "NR_ADMIN_VAN"),
        ("", "NR_ADMIN_VAN"),
    ],
)
def test_another_file_is_refused(names: str, path: str) -> None:
    with pytest.raises(DocumentProblem) as caught:
        read(names=names)
    assert caught.value.path == path
    assert caught.value.remedy


def test_a_line_that_no_reader_of_csv_takes_is_refused() -> None:
    with pytest.raises(DocumentProblem) as caught:
        read('"' + "x" * 200_000)
    assert caught.value.path.startswith("line")


def test_a_proposal_is_a_document_and_says_what_to_decide() -> None:
    found = read(a_line("33CC", "11AA"), registry=a_registry(lively="vuurvogel"))
    text = write_proposal(found.proposals[0], file="OVERGANGEN.csv")
    document = parse_document(Kind.RELATION, text.encode())
    assert isinstance(document, RelationDocument)
    assert document.kind is RelationKind.MERGE
    assert document.numbers == "new"
    assert "go on under its own id: vuurvogel" in text
    plain = write_proposal(read(a_line("33CC", "66FF")).proposals[0], file="OVERGANGEN.csv")
    assert "go on under" not in plain


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Skipped)
