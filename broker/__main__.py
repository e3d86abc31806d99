"""The command line. Exit codes: 0 done, 1 refused or a problem was found, 2 wrong usage.

A command reads the settings, has the packages below do the work, and says what came of it.
"""

import click

import broker.commands.takeover_lists
import broker.commands.takeover_map  # noqa: F401 -- adds to `takeover`
from broker.commands.backup import backup, restore
from broker.commands.client_secret import secret
from broker.commands.confirming import confirm
from broker.commands.console import console
from broker.commands.enrolment import enrol
from broker.commands.health import health
from broker.commands.keys import keys
from broker.commands.losses import accept_loss
from broker.commands.metadata import metadata
from broker.commands.metadata_refresh import metadata_refresh, metadata_sources
from broker.commands.operators import operator, person
from broker.commands.probe import probe
from broker.commands.pseudonyms import pseudonyms
from broker.commands.readiness import ready
from broker.commands.receipts import receipts
from broker.commands.registry import apply, check
from broker.commands.relations import relations
from broker.commands.running import demo, serve
from broker.commands.sector_transfers import accept, offer
from broker.commands.start_link import start_link
from broker.commands.switching import rehearse, switch
from broker.commands.takeover import takeover
from broker.commands.trace import trace
from broker.commands.transfers import transfer
from broker.commands.workers import worker


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Schuilnaam: pupils log in at school, suppliers get a pseudonym of their own."""


for command in (
    *(demo, serve, worker, health, check, apply, relations, accept_loss, keys, metadata),
    *(pseudonyms, receipts, operator, person, confirm, probe, trace, backup, restore),
    *(takeover, rehearse, switch, ready, enrol, transfer, secret, start_link, console),
):
    main.add_command(command)
for command in (metadata_refresh, metadata_sources):
    metadata.add_command(command)
for command in (offer, accept):
    transfer.add_command(command)

if __name__ == "__main__":
    main(prog_name="broker")
