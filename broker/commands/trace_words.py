"""The story of a login as a picture in words.

Texts of refusals are those of the page, in Dutch and English. Names come from log lines and are
shown as they are: never read as markup.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import broker.web.site  # noqa: F401 -- with it every refusal of a request is known
from broker.domain.dutch_days import NETHERLANDS
from broker.domain.refusals import Refusal, every_refusal
from broker.domain.release import AgreementNotInForce, NoAgreement
from broker.domain.stopped_agreements import AgreementStopped
from broker.flow.following.check_results import CheckResult, GroupResult
from broker.flow.following.story import Story, StoryEvent, StoryStep
from broker.flow.following.trail import LoginStep
from broker.web.texts import Language, load_texts

PROTOCOLS = {"oidc": "OpenID Connect", "saml": "SAML"}
PICTURES: Mapping[str, str] = {
    LoginStep.BEGIN: "{supplier} --{protocol}--> broker: asks who this is",
    LoginStep.SHOW_SCHOOLS: "pupil <-- broker: chooses a school, for {supplier}",
    LoginStep.CHOOSE_SCHOOL: "pupil --> broker --> {school}: chose this school",
    LoginStep.SCHOOL_ANSWER: "{school} --{protocol}--> broker: says who this is, for {supplier}",
    LoginStep.OWN_SCHOOL: "pupil --> broker --> {supplier}: said for which school this is",
    LoginStep.GO_ON: "pupil --> broker --> {supplier}: pressed the button to go on",
    LoginStep.NOT_ME: 'pupil --> broker --> {school}: pressed "that is not me"',
    LoginStep.REDEEM: "{supplier} --{protocol}--> broker: redeems its code",
    LoginStep.END_SESSION: "{supplier} --{protocol}--> broker: asks to log a person out",
    LoginStep.LOG_OUT: "pupil --> broker: logs out",
    LoginStep.USERINFO: "{supplier} --{protocol}--> broker: asks for the claims",
}
"""Who speaks to whom in a step."""

SIGNS = {
    CheckResult.PASSED: ("+", "green"),
    CheckResult.FAILED: ("X", "bold red"),
    CheckResult.NOT_REACHED: (".", "dim"),
    CheckResult.UNKNOWN: ("?", "yellow"),
}
REASONS = {
    "never": "is never released",
    "not-declared": "the supplier does not ask for it",
    "not-for-population": "the supplier asks it of others than this role",
    "not-approved": "the school did not approve it",
    "not-entitled": "restricted, and the supplier is not entitled",
    "no-end-date": "restricted, and the agreement has no end date",
    "other-school": "stated for another school of this person, or nobody can tell for which",
    "not-asked": "this request of the supplier did not ask for it",
    "taken-over": "accounts go by the pseudonym alone, since the take-over",
}


def tell_refusals(stories: Iterable[Story]) -> dict[str, dict[str, str]]:
    """Return code -> whose task, and the texts of page in both languages, of all in the stories."""
    events = [event for story in stories for step in story.steps for event in step.events]
    return {each.code: _tell_refusal(each) for each in events if each.code}


def _tell_refusal(event: StoryEvent) -> dict[str, str]:
    refusal = next((each for each in every_refusal() if each.code == event.code), None)
    if refusal is None:
        return {}  # of a later release
    told = {"whose_task": refusal.whose_task.value}
    for language, translations in load_texts().items():
        for name in ("what", "remedy"):
            text = translations.gettext(getattr(refusal, name))
            told[f"{name}_{language}"] = text.replace("{subject}", _subject(event, refusal))
    return told


def _subject(event: StoryEvent, refusal: type[Refusal]) -> str:
    """Return what the refusal is about, as far as the log may say so."""
    if event.subject:
        return event.subject
    is_about_supplier = issubclass(refusal, (NoAgreement, AgreementNotInForce, AgreementStopped))
    return event.supplier if is_about_supplier and event.supplier else "..."


def show_stories(stories: Sequence[Story], *, console: Console) -> None:
    """Print each login, step by step."""
    if len(stories) > 1:
        console.print(f"{len(stories)} logins were given this reference; the newest is the last.\n")
    for story in stories:
        _show_story(story, console=console)


def _show_story(story: Story, *, console: Console) -> None:
    first, last = story.steps[0], story.steps[-1]
    day = first.at.astimezone(NETHERLANDS).strftime("%A %d %B %Y")
    kind = "One login" if story.login else "A request that belongs to no login"
    console.print(
        Text(f"{kind}, {day}, times in the Netherlands; it ended as: {last.verdict}", style="bold")
    )
    for number, step in enumerate(story.steps, start=1):
        for event in step.events:
            if event.code:
                task = _tell_refusal(event).get("whose_task", "unknown")
                told = f"step {number} was refused: {event.code}, whose task: {task}"
                console.print(Text(told, style="bold red"))
    for number, step in enumerate(story.steps, start=1):
        console.print()
        _show_step(number, step, console=console)
    console.print()


def _show_step(number: int, step: StoryStep, *, console: Console) -> None:
    style = "bold red" if step.code else "bold"
    name = step.step or step.verdict
    head = f"{number}. {_time(step.at)}  {name}  {step.verdict}"
    details = [f"worker {step.worker or 'unknown'}"]
    if step.status:
        details.append(f"status {step.status}")
        details.append(f"{step.ms:g} ms")
    if step.store_trips:
        trips = "trip" if step.store_trips == 1 else "trips"
        details.append(f"{step.store_trips} {trips} to the login store in {step.store_ms:g} ms")
    console.print(Text(head, style=style), Text(", ".join(details), style="dim"))
    picture = PICTURES.get(step.step)
    if picture:
        said = picture.format(
            supplier=step.relying_party or "a supplier",
            school=step.idp or "a school",
            protocol=PROTOCOLS.get(step.protocol, step.protocol),
        )
        console.print(Padding(Text(said), (0, 0, 0, 3)))
    for event in step.events:
        for line in _tell_event(event):
            console.print(Padding(line, (0, 0, 0, 3)))
    if step.checks:
        console.print(Padding(_table_of_checks(step.checks), (0, 0, 0, 3)))


def _time(at: datetime) -> str:
    return at.astimezone(NETHERLANDS).strftime("%H:%M:%S.%f")[:-3]


def _table_of_checks(groups: Sequence[GroupResult]) -> Table:
    """One row for each group and result; a group of which all passed is one row."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    for group in groups:
        for result in CheckResult:
            checks = [name for name, told in group.checks if told is result]
            if checks:
                sign, style = SIGNS[result]
                table.add_row(
                    Text(sign, style=style),
                    Text(result.value, style=style),
                    Text(group.title),
                    Text(", ".join(each.removeprefix("check_") for each in checks), style="dim"),
                )
    return table


def _tell_event(event: StoryEvent) -> list[Text]:
    if event.code:
        told = _tell_refusal(event)
        lines = [
            Text(f"{event.code}  reference {event.reference}", style="bold red"),
            Text(f"whose task: {told.get('whose_task', 'unknown')}"),
        ]
        return lines + [
            Text(f"{language}: {told[f'what_{language}']} {told[f'remedy_{language}']}")
            for language in Language
            if f"what_{language}" in told
        ]
    lines = [Text(_headline(event))]
    lines += [Text(f"  released: {', '.join(event.names)}")] if event.event == "released" else []
    for name, reason in event.withheld.items():
        lines.append(Text(f"  withheld: {name}, {REASONS.get(reason, reason)}"))
    for name in event.missing:
        lines.append(Text(f"  missing: {name}, approved but not stated by the school's login"))
    return lines


def _headline(event: StoryEvent) -> str:
    parties = [each for each in (event.school, event.supplier) if each]
    names = f" {', '.join(event.names)}" if event.names and event.event != "released" else ""
    who = f" by {', '.join(event.operators)}" if event.operators else ""
    return f"{event.event}{names}{who}{': ' if parties else ''}{' to '.join(parties)}"
