"""`make fuzz`: mutate one kind of message for as long as you like, led by what our code does.

`python -m tests.fuzz TARGET [ARGUMENT OF LIBFUZZER...]`, by atheris, which no test needs. It stops
at the first mutation that breaks a law of `test_fuzzed_messages`, and prints the line to keep in
`seeds/TARGET.jsonl`.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import atheris

with atheris.instrument_imports(include=["broker.saml_xml", "broker.saml_sp", "broker.saml_idp"]):
    from tests.fuzz.steps import ATTRIBUTES, OCTETS, TAGS, TEXTS, Step, write_program
    from tests.fuzz.targets import TARGETS
    from tests.fuzz.test_fuzzed_messages import check

STEPS_MAX = 4
KINDS = (
    *("text", "tail", "attribute", "bare", "tag", "wrap", "drop", "double", "comment"),
    *("unwrap", "first", "move", "copy", "octets", "octets"),
)


def read_step(chosen: Any) -> Step:
    """Return one step that the fuzzer's octets stand for."""
    kind, at = _pick(chosen, KINDS), chosen.ConsumeIntInRange(0, 80)
    match kind:
        case "text" | "tail":
            return [kind, at, _pick(chosen, TEXTS)]
        case "attribute":
            name = _pick(chosen, ATTRIBUTES)
            return [kind, at, name, _pick(chosen, TEXTS)]
        case "bare":
            return [kind, at, _pick(chosen, ATTRIBUTES)]
        case "tag" | "wrap":
            return [kind, at, _pick(chosen, TAGS)]
        case "move" | "copy":
            return [kind, at, chosen.ConsumeIntInRange(0, 80)]
        case "octets":
            place, removed = chosen.ConsumeIntInRange(0, 9_999), chosen.ConsumeIntInRange(0, 40)
            return [kind, place / 10_000, removed, _pick(chosen, OCTETS)]
    return [kind, at]


def _pick(chosen: Any, values: Sequence[str]) -> str:
    return values[chosen.ConsumeIntInRange(0, len(values) - 1)]


def make_run(name: str) -> Callable[[bytes], None]:
    """Return what is run for each input of the fuzzer."""
    bases = sorted(TARGETS[name].bases)

    def run(octets: bytes) -> None:
        chosen = atheris.FuzzedDataProvider(octets)
        base = _pick(chosen, bases)
        program = [read_step(chosen) for _ in range(chosen.ConsumeIntInRange(0, STEPS_MAX))]
        try:
            check(name, base, program)
        except BaseException:
            sys.stderr.write(write_program(name, base, program) + "\n")
            raise

    return run


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"Say which: {', '.join(TARGETS)}")
    _, target, *rest = sys.argv
    atheris.Setup([sys.argv[0], *rest], make_run(target))
    atheris.Fuzz()
