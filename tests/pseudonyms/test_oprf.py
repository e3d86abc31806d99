"""RFC 9497 against its own vectors (appendix A.1), modes OPRF and VOPRF."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.pseudonyms import group, oprf
from broker.pseudonyms.group import Element, InvalidElement, Scalar
from broker.pseudonyms.oprf import InputTooLong, InvalidProof, KeyPair, Mode, Proof
from tests.pseudonyms.vectors import RFC9497


def _each_of(texts):
    return [bytes.fromhex(each) for each in texts.split(",")]


CASES = [
    pytest.param(suite, vector, id=f"{Mode(suite['mode']).name}-{number}")
    for suite in RFC9497
    if suite["mode"] in list(Mode)
    for number, vector in enumerate(suite["vectors"])
]
PROVEN = [case for case in CASES if case.values[0]["mode"] == Mode.VOPRF]


def _keys(suite):
    sk = Scalar(bytes.fromhex(suite["skSm"]))
    return KeyPair(sk=sk, pk=group.multiply_generator(sk))


def test_all_vectors_of_both_modes_are_run():
    assert len(CASES) == 5
    assert [len(_each_of(case.values[1]["Input"])) for case in CASES] == [1, 1, 1, 1, 2]


@pytest.mark.parametrize("suite", [each for each in RFC9497 if each["mode"] in list(Mode)])
def test_keys_and_tags_are_those_of_the_rfc(suite):
    mode = Mode(suite["mode"])
    assert oprf.SUITE.decode() == suite["identifier"]
    dst = b"HashToGroup-" + oprf.create_context_string(mode)
    assert dst.hex() == suite["groupDST"]
    keys = oprf.derive_key_pair(
        bytes.fromhex(suite["seed"]), bytes.fromhex(suite["keyInfo"]), mode=mode
    )
    assert keys == _keys(suite)
    assert keys.sk.hex() == suite["skSm"]
    assert keys.pk.hex() == suite.get("pkSm", keys.pk.hex())
    assert keys.sk.hex() not in repr(keys)


@pytest.mark.parametrize(("suite", "vector"), CASES)
def test_the_rfc_s_vectors(suite, vector):
    mode, keys = Mode(suite["mode"]), _keys(suite)
    rows = [
        _each_of(vector[name])
        for name in ("Input", "Blind", "BlindedElement", "EvaluationElement", "Output")
    ]
    for private_input, blind, blinded, evaluated, output in zip(*rows, strict=True):
        assert oprf.blind(private_input, blind=Scalar(blind), mode=mode) == blinded
        assert oprf.blind_evaluate(keys.sk, Element(blinded)) == evaluated
        finalized = oprf.finalize(
            private_input, blind=Scalar(blind), evaluated_element=Element(evaluated)
        )
        assert finalized == output
        assert oprf.evaluate(keys.sk, private_input, mode=mode) == output


@pytest.mark.parametrize(("suite", "vector"), PROVEN)
def test_the_rfc_s_proofs(suite, vector):
    keys = _keys(suite)
    blinded = [group.parse_element(each) for each in _each_of(vector["BlindedElement"])]
    r = group.parse_scalar(bytes.fromhex(vector["Proof"]["r"]))
    evaluated, proof = oprf.blind_evaluate_with_proof(keys, blinded, r=r)
    assert list(evaluated) == _each_of(vector["EvaluationElement"])
    assert oprf.encode_proof(proof).hex() == vector["Proof"]["proof"]
    assert oprf.parse_proof(oprf.encode_proof(proof)) == proof
    assert proof.s.hex() not in repr(proof)
    oprf.verify_proof(
        proof,
        expected_pk=keys.pk,
        blinded_elements=blinded,
        evaluated_elements=evaluated,
    )


# One honest exchange, and every way in which the evaluator can lie about it.
KEYS = oprf.derive_key_pair(b"s" * 32, b"", mode=Mode.VOPRF)
OTHER_KEYS = oprf.derive_key_pair(b"t" * 32, b"", mode=Mode.VOPRF)
R = group.reduce_to_scalar(b"r" * 64)
BLINDED = tuple(
    oprf.blind(each, blind=group.reduce_to_scalar(each * 64), mode=Mode.VOPRF)
    for each in (b"a", b"b", b"c")
)
EVALUATED, PROOF = oprf.blind_evaluate_with_proof(KEYS, BLINDED, r=R)
HONEST = {
    "proof": PROOF,
    "expected_pk": KEYS.pk,
    "blinded_elements": BLINDED,
    "evaluated_elements": EVALUATED,
}
ONE = Scalar((1).to_bytes(32, "little"))
C_SK = group.multiply_scalars(PROOF.c, KEYS.sk)
MINUS_C_SK = Scalar((group.ORDER - int.from_bytes(C_SK, "little")).to_bytes(32, "little"))
LIES = {
    "another key": {"expected_pk": OTHER_KEYS.pk},
    "evaluated with another key": {
        "evaluated_elements": tuple(group.multiply(OTHER_KEYS.sk, each) for each in BLINDED)
    },
    "one of them with another key": {
        "evaluated_elements": (*EVALUATED[:2], group.multiply(OTHER_KEYS.sk, BLINDED[2]))
    },
    "not evaluated": {"evaluated_elements": BLINDED},
    "two swapped": {"evaluated_elements": (EVALUATED[1], EVALUATED[0], EVALUATED[2])},
    "another question": {"blinded_elements": (BLINDED[0], BLINDED[1], BLINDED[1])},
    "one answer less": {"evaluated_elements": EVALUATED[:2]},
    "c changed": {"proof": Proof(c=ONE, s=PROOF.s)},
    "s changed": {"proof": Proof(c=PROOF.c, s=ONE)},
    "c and s swapped": {"proof": Proof(c=PROOF.s, s=PROOF.c)},
    "zero in the proof": {"proof": Proof(c=PROOF.c, s=Scalar(bytes(32)))},
    "commitment vanishes": {"proof": Proof(c=PROOF.c, s=MINUS_C_SK)},
    "identity as answer": {"evaluated_elements": (*EVALUATED[:2], Element(bytes(32)))},
    "no element as key": {"expected_pk": Element(b"\xff" * 32)},
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_of_the_evaluator_is_refused(name):
    with pytest.raises(InvalidProof):
        oprf.verify_proof(**(HONEST | LIES[name]))
    oprf.verify_proof(**HONEST)


def test_two_lies_that_cancel_in_a_plain_sum_are_refused():
    """The weights of a batch depend on its elements, so errors cannot be balanced."""
    error = group.map_to_element(b"e" * 64)
    opposite = group.multiply(Scalar((group.ORDER - 1).to_bytes(32, "little")), error)
    balanced = (group.add(EVALUATED[0], error), group.add(EVALUATED[1], opposite), EVALUATED[2])
    with pytest.raises(InvalidProof):
        oprf.verify_proof(**(HONEST | {"evaluated_elements": balanced}))
    oprf.verify_proof(**HONEST)


@pytest.mark.parametrize("length", [0, 32, 63, 65, 96])
def test_a_proof_of_another_length_is_refused(length):
    wire = oprf.encode_proof(PROOF)
    with pytest.raises(InvalidProof):
        oprf.parse_proof((wire + wire)[:length])
    assert oprf.parse_proof(wire) == PROOF


@pytest.mark.parametrize("wire", [b"\xff" * 64, bytes(64)])
def test_a_proof_of_what_is_no_scalar_is_refused(wire):
    with pytest.raises(InvalidProof):
        oprf.parse_proof(wire)


def test_a_blinded_element_that_is_none_is_refused():
    with pytest.raises(InvalidElement):
        oprf.blind_evaluate_with_proof(KEYS, [Element(b"\xff" * 32)], r=R)
    with pytest.raises(InvalidElement):
        oprf.blind_evaluate(KEYS.sk, Element(bytes(32)))
    assert oprf.blind_evaluate(KEYS.sk, BLINDED[0]) == EVALUATED[0]


def test_an_empty_batch_is_refused():
    with pytest.raises(InputTooLong):
        oprf.blind_evaluate_with_proof(KEYS, [], r=R)


def test_what_has_no_length_in_two_bytes_is_refused():
    longest = b"x" * 65535
    assert len(oprf.evaluate(KEYS.sk, longest, mode=Mode.OPRF)) == 64
    with pytest.raises(InputTooLong):
        oprf.evaluate(KEYS.sk, longest + b"x", mode=Mode.OPRF)
    assert len(oprf.expand_message_xmd(b"", b"x" * 255)) == 64
    with pytest.raises(InputTooLong):
        oprf.expand_message_xmd(b"", b"x" * 256)


def test_expand_message_is_that_of_rfc_9380():
    """RFC 9380 K.3 has outputs of 32 and 128 bytes; ours is checked through RFC 9497's vectors,
    and here for being one block that both tag and message change."""
    outputs = {oprf.expand_message_xmd(msg, dst) for msg in (b"", b"a") for dst in (b"", b"a")}
    assert {len(each) for each in outputs} == {64}
    assert len(outputs) == 4


def test_modes_are_apart():
    assert oprf.hash_to_group(b"x", mode=Mode.OPRF) != oprf.hash_to_group(b"x", mode=Mode.VOPRF)
    assert oprf.hash_to_group(b"x") == oprf.hash_to_group(b"x", mode=Mode.VOPRF)


@given(st.binary(max_size=40), st.binary(min_size=64, max_size=64).filter(any))
def test_unblinding_gives_what_a_plain_evaluation_gives(private_input, randomness):
    blind = group.reduce_to_scalar(randomness)
    evaluated = oprf.blind_evaluate(
        KEYS.sk, oprf.blind(private_input, blind=blind, mode=Mode.VOPRF)
    )
    plain = group.multiply(KEYS.sk, oprf.hash_to_group(private_input))
    assert oprf.unblind(evaluated, blind=blind) == plain
