"""`docker/Dockerfile` read into stages and instructions, for the rules and for the replay."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "docker" / "Dockerfile"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its continued lines joined."""

    word: str
    text: str

    @property
    def arguments(self) -> list[str]:
        """Words of the instruction; of its JSON form, the list."""
        if self.text.startswith("["):
            return [str(each) for each in json.loads(self.text)]
        return shlex.split(self.text)


@dataclass(frozen=True, slots=True)
class Stage:
    """From one FROM to the next.

    Attributes:
        parent: name of the stage, or the image, on which it stands.
    """

    name: str
    parent: str
    instructions: tuple[Instruction, ...]

    def all(self, word: str) -> list[Instruction]:
        return [each for each in self.instructions if each.word == word]

    def last(self, word: str) -> Instruction | None:
        return next(iter(reversed(self.all(word))), None)


def read_dockerfile(text: str) -> tuple[Mapping[str, str], dict[str, Stage]]:
    """Return the arguments before the first stage, and the stages in order, by name.

    >>> read_dockerfile("ARG A=b:1\\nFROM ${A} AS x\\nRUN one \\\\\\n  && two")[1]["x"].instructions
    (Instruction(word='RUN', text='one && two'),)
    """
    without_comments = "\n".join(
        line for line in text.splitlines() if not line.lstrip().startswith("#")
    )
    lines = re.sub(r"\\\n\s*", "", without_comments).splitlines()
    instructions = [
        Instruction(word.upper(), rest.strip())
        for word, _, rest in (line.strip().partition(" ") for line in lines if line.strip())
    ]
    arguments: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    for each in instructions:
        match each.word:
            case "ARG" if not stages:
                name, _, value = each.text.partition("=")
                arguments[name] = value
            case "FROM":
                parent, _, name = each.text.partition(" AS ")
                stages[name] = Stage(name, _filled_in(parent, arguments), ())
            case _:
                name, stage = list(stages.items())[-1]
                stages[name] = Stage(name, stage.parent, (*stage.instructions, each))
    return arguments, stages


def the_dockerfile() -> dict[str, Stage]:
    """Return the stages of `docker/Dockerfile`."""
    return read_dockerfile(DOCKERFILE.read_text())[1]


def environment_of(instruction: Instruction) -> dict[str, str]:
    """Return what an ENV sets.

    >>> environment_of(Instruction("ENV", "A=b C='d e'"))
    {'A': 'b', 'C': 'd e'}
    """
    pairs = (each.partition("=") for each in shlex.split(instruction.text))
    return {name: value for name, _, value in pairs}


def _filled_in(text: str, arguments: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], text)
