"""`broker start-link`: the address that opens learning material, and a poster with its QR code."""

import io
import os
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import click
import segno

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.commands.problems import config_option, saying_what_is_wrong
from broker.domain.dutch_days import day_of
from broker.domain.refusals import Refusal
from broker.domain.school_search import build_school_index
from broker.flow.start_links import Start, StartLink, find_start
from broker.settings import LoadedSettings, load_settings
from broker.web.own_documents import OwnAddresses

_POSTER = """<!doctype html>
<html lang="nl">
<meta charset="utf-8">
<title>{name}</title>
<style>
  @page {{ size: A4; margin: 20mm }}
  body {{ font: 20pt/1.4 sans-serif; text-align: center }}
  h1 {{ font-size: 40pt; margin: 0 }}
  svg {{ width: 120mm; height: 120mm }}
  code {{ font-size: 10pt; overflow-wrap: anywhere }}
</style>
<h1>{name}</h1>
<p>{school}</p>
{code}
<p><code>{address}</code></p>
</html>
"""


@click.command("start-link")
@config_option
@click.argument("relying_party")
@click.option("--school", default="", help="Its id or BRIN; without one, people choose.")
@click.option("--target", default="", help="A page below start_targets of the document.")
@click.option(
    "--poster",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Write a page to print, with the address as a QR code.",
)
def start_link(
    config_folder: Path, relying_party: str, school: str, target: str, poster: Path | None
) -> None:
    """Show the address that opens RELYING_PARTY: for portals, tiles and posters.

    What would lead nowhere when it is opened is refused here too.
    """
    stated = StartLink(relying_party=relying_party, school=school, target=target)
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
    found = find_in_force(stated, loaded)
    address = f"{loaded.settings.issuer}/start?{stated.build_query()}"
    click.echo(address)
    if poster is not None:
        poster.write_text(draw_poster(found, address), encoding="utf-8")
        click.echo(f"Print {poster}.")


def find_in_force(stated: StartLink, loaded: LoadedSettings) -> Start:
    """Return where a link leads as things are now."""
    file = loaded.data_folder / "registry.db"
    if not file.exists():
        raise click.ClickException("There is no registry yet: run broker apply first.")
    issuer = loaded.settings.issuer
    try:
        found = find_start(
            stated,
            index=build_school_index(SqliteRegistry(file).load()),
            issuer=issuer,
            idp_entity_id=OwnAddresses(issuer).idp_entity_id,
            today=day_of(datetime.now(UTC)),
        )
    except Refusal as refusal:
        what = refusal.what.replace("{subject}", refusal.subject)
        raise click.ClickException(f"{refusal.code}: {what}") from None
    if stated.school and found.school is None:
        raise click.ClickException(f"{stated.school}: no school of this state by that name.")
    return found


def draw_poster(found: Start, address: str) -> str:
    """Return a page of one sheet: what it opens, the code, and the address in letters."""
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        drawn, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=2, title=address
    )
    return _POSTER.format(
        name=escape(found.parties.supplier.display_name),
        school="" if found.school is None else escape(found.school.name),
        code=drawn.getvalue().decode(),
        address=escape(address),
    )
