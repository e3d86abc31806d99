"""Checks of the versions that a supplier's document states of its service sheet.

What a sheet must say before a school decides on it is asked when it is published
(`flow.sheets.sheet_checks`); here stands what would change logins, or contradicts itself.
"""

from collections.abc import Iterable, Iterator, Mapping

from broker.domain.documents import DocumentProblem, SupplierDocument
from broker.domain.sheets import ServiceSheet, sheet_of
from broker.flow.federation.documents import Key, Problem, StatedDocument


def check_since_versions(document: SupplierDocument) -> Iterator[DocumentProblem]:
    """An agreement goes on without what was not there when it was signed; so `required_since` and
    `asked_since` name versions that there are, of what is required and of who is asked."""
    newest = document.sheet.version if document.sheet is not None else 0
    for index, each in enumerate(document.attribute):
        path = f"attribute[{index}]."
        if each.required_since is not None:
            if not each.required:
                yield DocumentProblem(
                    f"{path}required_since",
                    f"stands at {each.name}, which is not required.",
                    "Remove it, or state required = true.",
                )
            yield from _check_version(f"{path}required_since", each.required_since, newest=newest)
        for population, since in each.asked_since.items():
            where = f"{path}asked_since.{population}"
            if population not in each.populations:
                yield DocumentProblem(
                    where,
                    f"stands at {each.name}, which is not asked of them.",
                    "Remove it, or add them to populations.",
                )
            yield from _check_version(where, since, newest=newest)


def _check_version(path: str, since: int, *, newest: int) -> Iterator[DocumentProblem]:
    if since > newest:
        yield DocumentProblem(
            path,
            f"is {since}, but the sheet's version is {newest}.",
            "Name a version that the sheet had or has.",
        )


def find_reused_sheets(
    changed: Mapping[Key, StatedDocument], ever_stated: Iterable[StatedDocument]
) -> Iterator[Problem]:
    """Agreements name the version of the sheet that was read: it never means two contents.

    Args:
        ever_stated: every form that these suppliers' documents had.
    """
    highest: dict[Key, int] = {}
    for earlier in ever_stated:
        before, after = _sheet(earlier), _sheet(changed[earlier.key])
        if before is not None and after is not None and before != after:
            highest[earlier.key] = max(highest.get(earlier.key, 0), before.version)
    for key, version in highest.items():
        stated = changed[key]
        sheet = _sheet(stated)
        if sheet is not None and sheet.version <= version:
            yield stated.problem(
                DocumentProblem(
                    "sheet.version",
                    f"is {sheet.version}, but version {version} said something else.",
                    f"Write {version + 1}, and since then for what is asked or required anew.",
                )
            )


def find_sudden_demands(
    before: SupplierDocument, after: SupplierDocument
) -> Iterator[DocumentProblem]:
    """Yield what would refuse logins under agreements that were signed before."""
    if after.sheet is None:
        return
    was = {each.name: each for each in before.attribute}
    for index, each in enumerate(after.attribute):
        old = was.get(each.name)
        was_required = old is not None and old.required
        waits = each.required_since or set(each.populations) <= each.asked_since.keys()
        if each.required and not was_required and not waits:
            yield DocumentProblem(
                f"attribute[{index}].required",
                f"refuses every login under an agreement that does not approve {each.name}.",
                f"Write required_since = {after.sheet.version}: those of before go on without it.",
            )


def _sheet(stated: StatedDocument) -> ServiceSheet | None:
    document = stated.document
    return sheet_of(document) if isinstance(document, SupplierDocument) else None
