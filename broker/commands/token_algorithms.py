"""What `broker check` says of relying parties whose tokens nobody could sign."""

from collections.abc import Iterator

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.keys.keys_on_disk import BrokerKeys
from broker.domain.relying_parties import OidcClient
from broker.flow.federation.documents import Problem
from broker.settings import LoadedSettings


def find_missing_algorithms(loaded: LoadedSettings, keys: BrokerKeys) -> Iterator[Problem]:
    """Yield a problem for each relying party in force whose algorithm has no key."""
    there = {each.algorithm for each in keys.token}
    registry = SqliteRegistry(loaded.data_folder / "registry.db").load()
    for party in registry.relying_parties.values():
        wanted = party.protocol
        if isinstance(wanted, OidcClient) and wanted.id_token_algorithm not in there:
            yield Problem(
                "registry",
                f"relying_parties/{party.id}",
                f"gets tokens of {wanted.id_token_algorithm}, and there is no such key.",
                f"Run `broker keys add {wanted.id_token_algorithm}`.",
            )
