"""Checks of the versions that a supplier's document states of its service sheet.

What a sheet must say before a school decides on it is asked when it is published
(`flow.sheets.sheet_checks`); here stands what would change logins, or contradicts itself.
"""

from collections.abc import Iterator

from broker.domain.documents import DocumentProblem, SupplierDocument


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
