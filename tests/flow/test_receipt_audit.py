"""Every way to tamper with the receipt log is found, and an untouched one passes."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import broker.flow.receipts.receipt_audit as receipt_audit
from broker.flow.receipts.merkle import WrongPath, audit_paths
from broker.flow.receipts.receipt_audit import (
    Defect,
    Finding,
    ReceiptsTampered,
    VerifiedReceipts,
    verify_receipts,
)
from broker.flow.receipts.receipt_chain import (
    ForgedHead,
    HeadBody,
    ReceiptProof,
    SignedHead,
    check_proof,
    derive_chain_keys,
    leaf_of,
    make_tip,
    next_link,
    parse_head_body,
    read_head,
)
from tests.flow.receipt_archives import KEYS, ListArchive, a_sealed_receipt

ALICE, BOB = b"a" * 16, b"b" * 16
THIEF_KEYS = derive_chain_keys(bytes(32))


def an_archive() -> ListArchive:
    """Two writers with five and three lines, two heads, and two lines after the second."""
    archive = ListArchive()
    archive.write(ALICE, *map(a_sealed_receipt, range(3)))
    archive.sign({})
    archive.write(BOB, *map(a_sealed_receipt, range(10, 13)))
    archive.sign({ALICE: 3})
    archive.write(ALICE, *map(a_sealed_receipt, range(3, 5)))
    return archive


def findings(archive: ListArchive, kept: tuple[SignedHead, ...] = ()) -> tuple[Finding, ...]:
    with pytest.raises(ReceiptsTampered) as tampered:
        verify_receipts(archive, keys=KEYS, kept_heads=kept)
    return tampered.value.findings


def line_at(archive: ListArchive, writer: bytes, sequence: int) -> int:
    return next(
        index
        for index, line in enumerate(archive.stored_lines)
        if (line.writer, line.sequence) == (writer, sequence)
    )


def test_untouched_log_passes() -> None:
    archive = an_archive()
    kept = tuple(archive.stored_heads)
    verified = verify_receipts(archive, keys=KEYS, kept_heads=kept)
    assert verified == VerifiedReceipts(writers=2, lines=8, heads=2)


def test_empty_log_passes() -> None:
    assert verify_receipts(ListArchive(), keys=KEYS) == VerifiedReceipts(0, 0, 0)


def test_writer_without_lines_passes() -> None:
    archive = ListArchive()
    archive.write(ALICE)
    assert verify_receipts(archive, keys=KEYS) == VerifiedReceipts(1, 0, 0)


@pytest.mark.parametrize("field", ["locator", "ciphertext", "school", "week"])
@pytest.mark.parametrize("sequence", range(1, 6))
def test_changed_line_is_named(field: str, sequence: int) -> None:
    archive = an_archive()
    index = line_at(archive, ALICE, sequence)
    line = archive.stored_lines[index]
    changed = {"locator": bytes(31) + b"x", "ciphertext": b"x", "school": "x", "week": 1}
    receipt = replace(line.receipt, **{field: changed[field]})
    archive.stored_lines[index] = replace(line, receipt=receipt)
    assert Finding(Defect.LINE_CHANGED, ALICE.hex(), sequence) in findings(archive)


@pytest.mark.parametrize("sequence", range(1, 5))
def test_removed_line_is_named(sequence: int) -> None:
    archive = an_archive()
    del archive.stored_lines[line_at(archive, ALICE, sequence)]
    found = findings(archive)
    assert Finding(Defect.LINE_REMOVED, ALICE.hex(), sequence) in found
    assert not [each for each in found if each.defect is Defect.LINE_CHANGED]


def test_reordered_lines_are_named() -> None:
    archive = an_archive()
    first, second = line_at(archive, ALICE, 4), line_at(archive, ALICE, 5)
    lines = archive.stored_lines
    lines[first], lines[second] = (
        replace(lines[second], sequence=4),
        replace(lines[first], sequence=5),
    )
    assert Finding(Defect.LINE_CHANGED, ALICE.hex(), 4) in findings(archive)


def test_line_inserted_in_between_is_named() -> None:
    archive = an_archive()
    for index, line in enumerate(archive.stored_lines):
        if line.writer == ALICE and line.sequence >= 4:
            archive.stored_lines[index] = replace(line, sequence=line.sequence + 1)
    inserted = replace(archive.stored_lines[0], sequence=4, receipt=a_sealed_receipt(99))
    archive.stored_lines.append(inserted)
    assert Finding(Defect.LINE_CHANGED, ALICE.hex(), 4) in findings(archive)


def test_line_added_at_the_end_is_named_even_with_its_own_link_right() -> None:
    archive = an_archive()
    last = archive.stored_lines[line_at(archive, ALICE, 5)]
    added = a_sealed_receipt(99)
    link = next_link(last.link, leaf_of(ALICE, 6, added), keys=KEYS)
    archive.stored_lines.append(replace(last, sequence=6, receipt=added, link=link))
    assert findings(archive) == (Finding(Defect.LINE_INSERTED, ALICE.hex(), 6),)


def test_lines_of_a_writer_that_never_was_are_named() -> None:
    archive = an_archive()
    del archive.stored_tips[BOB]
    assert Finding(Defect.LINE_INSERTED, BOB.hex(), 1) in findings(archive)


def test_cut_off_tail_is_named() -> None:
    archive = an_archive()
    del archive.stored_lines[line_at(archive, ALICE, 5)]
    assert findings(archive) == (Finding(Defect.TAIL_CUT_OFF, ALICE.hex(), 5),)


def test_all_lines_of_a_writer_cut_off_are_named() -> None:
    archive = an_archive()
    archive.stored_lines = [each for each in archive.stored_lines if each.writer != ALICE]
    assert Finding(Defect.TAIL_CUT_OFF, ALICE.hex(), 1) in findings(archive)


def test_writer_removed_with_its_tip_is_named_by_the_head_over_it() -> None:
    archive = an_archive()
    archive.stored_lines = [each for each in archive.stored_lines if each.writer != BOB]
    del archive.stored_tips[BOB]
    found = findings(archive)
    assert Finding(Defect.HEAD_BROKEN, head=2) in found
    assert Finding(Defect.TAIL_CUT_OFF, BOB.hex(), 1, head=2) in found


def test_tail_cut_off_with_a_forged_tip_is_named() -> None:
    archive = an_archive()
    del archive.stored_lines[line_at(archive, ALICE, 5)]
    link = archive.stored_lines[line_at(archive, ALICE, 4)].link
    archive.stored_tips[ALICE] = make_tip(ALICE, count=4, link=link, heads=2, keys=THIEF_KEYS)
    assert findings(archive) == (Finding(Defect.TIP_FORGED, ALICE.hex()),)


def test_chain_made_anew_without_our_key_is_named() -> None:
    archive = ListArchive()
    archive.write(ALICE, a_sealed_receipt(1))
    true_tip = archive.stored_tips[ALICE]
    [line] = archive.stored_lines
    archive.stored_lines = [replace(line, link=bytes(32))]
    archive.stored_tips = {ALICE: replace(true_tip, link=bytes(32))}
    assert {each.defect for each in findings(archive)} == {
        Defect.TIP_FORGED,
        Defect.LINE_CHANGED,
    }


def test_last_link_that_is_not_the_tip_s_is_named() -> None:
    archive = ListArchive()
    archive.write(ALICE, a_sealed_receipt(1))
    other = make_tip(ALICE, count=1, link=bytes(32), heads=0, keys=KEYS)
    archive.stored_tips[ALICE] = other
    assert findings(archive) == (Finding(Defect.LINE_CHANGED, ALICE.hex(), 1),)


def test_removed_head_is_named() -> None:
    for index, expected in ((0, 1), (1, 2)):
        archive = an_archive()
        del archive.stored_heads[index]
        assert Finding(Defect.HEAD_REMOVED, head=expected) in findings(archive)


def test_head_removed_before_any_line_came_after_is_named_by_who_kept_it() -> None:
    archive = ListArchive()
    archive.write(ALICE, a_sealed_receipt(1))
    kept = archive.sign({})
    archive.stored_heads.clear()
    verify_receipts(archive, keys=KEYS)
    assert findings(archive, (kept,)) == (Finding(Defect.PUT_BACK, head=1),)


def test_forged_head_is_named() -> None:
    archive = an_archive()
    kept = archive.stored_heads[1]
    archive.stored_heads[1] = replace(kept, signature=bytes(64))
    assert findings(archive) == (Finding(Defect.HEAD_FORGED, head=2),)
    archive.stored_heads[1] = replace(kept, body=b"{}")
    assert set(findings(archive, (kept,))) == {Finding(Defect.HEAD_FORGED, head=2)}


def test_log_that_was_put_back_and_went_on_is_named_by_the_heads_that_were_kept() -> None:
    archive, others = an_archive(), an_archive()
    first, second = archive.stored_heads
    carol = b"c" * 16
    others.write(ALICE, a_sealed_receipt(50))
    kept = others.sign({ALICE: 3, BOB: 3})
    archive.write(carol, a_sealed_receipt(51))
    archive.sign({ALICE: 3, BOB: 3})
    assert verify_receipts(archive, keys=KEYS, kept_heads=(first, second)).heads == 3
    assert findings(archive, (first, kept)) == (Finding(Defect.PUT_BACK, head=3),)


def test_head_over_other_lines_than_come_next_is_named() -> None:
    archive = an_archive()
    archive.sign({ALICE: 2, BOB: 3})
    assert findings(archive) == (Finding(Defect.HEAD_BROKEN, head=3),)


def test_heads_that_do_not_follow_each_other_are_named() -> None:
    archive, other = an_archive(), ListArchive()
    other.write(BOB, *map(a_sealed_receipt, range(20, 23)))
    other.sign({})
    other.stored_lines, other.stored_tips = archive.stored_lines, archive.stored_tips
    archive.stored_heads[1] = other.sign({ALICE: 5})
    assert Finding(Defect.HEAD_FORGED, head=2) in findings(archive)


def test_database_put_back_is_found_by_a_kept_head() -> None:
    archive = an_archive()
    old = ListArchive(
        list(archive.stored_lines), dict(archive.stored_tips), list(archive.stored_heads)
    )
    kept = archive.sign({ALICE: 3, BOB: 3})
    verify_receipts(old, keys=KEYS)
    assert findings(old, (kept,)) == (Finding(Defect.PUT_BACK, head=3),)


def test_kept_head_that_is_not_ours_is_named() -> None:
    archive = an_archive()
    stranger = SignedHead(1, b"{}", bytes(64))
    assert findings(archive, (stranger,)) == (Finding(Defect.HEAD_FORGED, head=1),)


def test_findings_are_bounded_and_say_where() -> None:
    archive = ListArchive()
    archive.write(ALICE, *map(a_sealed_receipt, range(150)))
    archive.stored_lines = [
        replace(line, receipt=a_sealed_receipt(999)) for line in archive.stored_lines
    ]
    found = findings(archive)
    assert len(found) == receipt_audit.MAX_FINDINGS
    assert str(found[0]) == f"line-changed: writer {ALICE.hex()}, line 1"
    assert str(Finding(Defect.HEAD_FORGED, head=2)) == "head-forged: head 2"


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt_audit, "PROGRESS_LINES", 3)
    told: list[int] = []
    verify_receipts(an_archive(), keys=KEYS, progress=told.append)
    assert told == [3, 6]


@given(st.data())
def test_any_one_byte_of_any_line_counts(data: st.DataObject) -> None:
    archive = an_archive()
    index = data.draw(st.integers(0, 7))
    name = data.draw(st.sampled_from(["locator", "ciphertext"]))
    line = archive.stored_lines[index]
    value = bytearray(getattr(line.receipt, name))
    value[data.draw(st.integers(0, len(value) - 1))] ^= data.draw(st.integers(1, 255))
    changed = replace(line, receipt=replace(line.receipt, **{name: bytes(value)}))
    archive.stored_lines[index] = changed
    assert Finding(Defect.LINE_CHANGED, line.writer.hex(), line.sequence) in findings(archive)


def a_proof(archive: ListArchive, index: int) -> ReceiptProof:
    [head] = archive.stored_heads[:1]
    leaves = [leaf_of(each.writer, each.sequence, each.receipt) for each in archive.lines()][:3]
    path = audit_paths(leaves, indexes=[index], size=3)[index]
    return ReceiptProof(head=head, line=archive.stored_lines[index], index=index, path=path)


def test_school_checks_that_its_line_is_under_a_head() -> None:
    archive, public = an_archive(), KEYS.head_public_key
    for index in range(3):
        check_proof(a_proof(archive, index), public_key=public)
    with pytest.raises(WrongPath):
        check_proof(replace(a_proof(archive, 0), line=archive.stored_lines[1]), public_key=public)
    with pytest.raises(ForgedHead):
        check_proof(a_proof(archive, 0), public_key=THIEF_KEYS.head_public_key)


def test_head_of_another_number_or_shape_is_refused() -> None:
    [head, _] = an_archive().stored_heads
    body = read_head(head, public_key=KEYS.head_public_key)
    assert isinstance(body, HeadBody)
    assert body.size == 3
    for wrong in (replace(head, number=2), replace(head, body=b"{}")):
        with pytest.raises(ForgedHead):
            parse_head_body(wrong)
    assert msgspec.json.decode(head.body, type=HeadBody) == body
