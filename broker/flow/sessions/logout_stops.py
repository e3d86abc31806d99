"""The parties to which the browser is brought while it logs out, one after another, and where it
all stands.

Each gets one chance: the browser goes there with our question, and what comes back counts, or
that nothing does. Nothing waits for a party but the browser itself, which a page of ours keeps
company: it goes on by itself after a while, and by a button at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from broker.flow.audit import AuditEvent
from broker.flow.held_state.browser_steps import BrowserStep, store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Absent
from broker.flow.sessions.logout_answers import (
    AskParty,
    LeftNow,
    LoggedOut,
    LogoutPorts,
    SchoolNow,
)
from broker.flow.sessions.logout_records import (
    LOGGED_OUT,
    LOGOUT_RESULT,
    LoggedOutRecord,
    LogoutRecord,
    LogoutResultRecord,
)
from broker.flow.sessions.logout_telling import LogoutTelling, result_of
from broker.flow.sessions.saml_peers import Place, SamlPeer, Side, school_peer, supplier_peer
from broker.flow.sessions.session_records import NamedSession

Results = dict[str, LogoutResultRecord | None]
"""What is known, by the key of a party; None or absent: nothing yet."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A party that the browser must be brought to."""

    peer: SamlPeer
    place: Place
    named: NamedSession = field(repr=False)

    @property
    def key(self) -> str:
        """Return by what its result is found."""
        return _result_key(self.peer)


@dataclass(frozen=True, slots=True)
class FoundStop:
    """A party that a browser's logout asked, by the RelayState that came back."""

    name: str
    handle: Handle = field(repr=False)
    peer: SamlPeer


class LogoutStops:
    """Decides where the browser goes next."""

    def __init__(self, ports: LogoutPorts, telling: LogoutTelling) -> None:
        self._ports = ports
        self._telling = telling

    async def find_done(self, handle: Handle) -> LoggedOutRecord | None:
        """Return what a logout ended; None when it has not ended anything yet."""
        try:
            with store_in_words(known=(Absent,)):
                return await self._ports.state.get(LOGGED_OUT, handle)
        except Absent:
            return None

    async def find_asked(
        self, relay_state: str | None, *, side: Side, held: Sequence[BrowserStep]
    ) -> FoundStop | None:
        """Return whose answer this must be, by what this browser holds; None: nobody's."""
        for step in held:
            try:
                handle = parse_handle(step.unverified_handle)
                done = await self.find_done(handle)
            except Absent:
                continue
            for stop in self._stops_of(done):
                if stop.peer.side is side and relay_state == self._ports.saml.relay_state(
                    handle, stop.peer
                ):
                    return FoundStop(step.state, handle, stop.peer)
        return None

    async def keep(self, handle: Handle, peer: SamlPeer, *, is_out: bool) -> None:
        """Keep what a party answered, and write it down."""
        await self._telling.keep(handle, _result_key(peer), is_out=is_out)
        self._note(peer, is_out=is_out)

    async def go_on(self, handle: Handle, done: LoggedOutRecord) -> AskParty | LoggedOut:
        """Return the next party that the browser must be brought to, or how it stands in the end.

        Who was asked and did not answer before the browser came back here is given up.

        Raises:
            StoreUnavailable
        """
        results = await self._read_results(handle, done)
        for stop in self._stops_of(done):
            result = results.get(stop.key)
            if result is None:
                await self._set_out(handle, stop, results)
                form = self._ports.saml.build_request(stop.peer, stop.place, stop.named, handle)
                return AskParty(stop.peer, form, self._stand(done, results))
            if result.is_out is None:
                await self.keep(handle, stop.peer, is_out=False)
                results[stop.key] = LogoutResultRecord(is_out=False)
        return self._stand(done, results)

    async def stand(self, handle: Handle, done: LoggedOutRecord) -> LoggedOut:
        """Return how it stands now, without going anywhere.

        Raises:
            StoreUnavailable
        """
        return self._stand(done, await self._read_results(handle, done))

    async def _set_out(self, handle: Handle, stop: Stop, results: Results) -> None:
        state, waiting = self._ports.state, LogoutResultRecord(is_out=None)
        with store_in_words():
            await state.put(
                state.seal_under(result_of(state, handle, stop.key), LOGOUT_RESULT, waiting)
            )
        results[stop.key] = waiting

    async def _read_results(self, handle: Handle, done: LoggedOutRecord) -> Results:
        keys = [each.relying_party for each in done.parties if each.is_told]
        keys += [stop.key for stop in self._stops_of(done)]  # type: ignore[misc]
        if not keys:
            return {}
        state = self._ports.state
        with store_in_words():
            found = await state.gather(
                LOGOUT_RESULT, [result_of(state, handle, each) for each in keys]
            )
        return dict(zip(keys, found, strict=True))

    def _stops_of(self, done: LoggedOutRecord | None) -> list[Stop]:
        """Return suppliers first and schools last: those log out everything else as well."""
        registry = self._ports.snapshots.registry
        stops: list[Stop] = []
        for left in () if done is None else done.parties:
            party = registry.relying_parties.get(left.relying_party)
            if left.visited is not None and party is not None:
                _add_stop(stops, supplier_peer(party, registry=registry), left.visited)
        for school in () if done is None else done.schools:
            idp = registry.idps.get(school.idp)
            if idp is not None:
                _add_stop(stops, school_peer(idp, registry=registry), school.named)
        return stops

    def _stand(self, done: LoggedOutRecord, results: Results) -> LoggedOut:
        """Return how it stands with everybody who is still registered."""
        registry = self._ports.snapshots.registry
        stops = self._stops_of(done)
        told = {each.relying_party for each in done.parties if each.is_told}
        told |= {stop.peer.relying_party for stop in stops if stop.peer.relying_party is not None}

        def is_out(key: str) -> bool | None:
            result = results.get(key)
            return None if result is None else result.is_out

        stands = LoggedOut(
            done,
            tuple(
                LeftNow(
                    registry.relying_parties[each.relying_party],
                    is_out=True
                    if each.asked
                    else (is_out(each.relying_party) if each.relying_party in told else False),
                    frontchannel_url=each.frontchannel_url,
                )
                for each in done.parties
                if each.relying_party in registry.relying_parties
            ),
            tuple(
                SchoolNow(stop.peer, is_out(stop.key))
                for stop in stops
                if stop.peer.side is Side.SCHOOL
            ),
        )
        asker = self._find_asker(done.logout)
        if asker is None:
            return stands
        everywhere = stands.is_everywhere
        answer = self._ports.saml.build_answer(done.logout, asker, everywhere=everywhere)
        return LoggedOut(done, stands.parties, stands.schools, asker, answer)

    def _find_asker(self, logout: LogoutRecord) -> SamlPeer | None:
        """Return who asked by SAML, where it is still registered."""
        registry = self._ports.snapshots.registry
        if logout.saml is None:
            return None
        if logout.idp is not None:
            idp = registry.idps.get(logout.idp)
            return None if idp is None else school_peer(idp, registry=registry)
        asker = logout.relying_party
        party = None if asker is None else registry.relying_parties.get(asker)
        return None if party is None else supplier_peer(party, registry=registry)

    def _note(self, peer: SamlPeer, *, is_out: bool) -> None:
        self._ports.audit.record(
            AuditEvent(
                action="logout-told" if is_out else "logout-not-told",
                relying_party=peer.relying_party,
                idp=peer.idp,
            )
        )


def _result_key(peer: SamlPeer) -> str:
    return peer.relying_party or peer.key


def _add_stop(stops: list[Stop], peer: SamlPeer | None, named: NamedSession) -> None:
    """Add a party that still has a place to which a browser can be brought.

    By POST where it has that: our request names the person, and an address stays in histories.
    """
    place = None if peer is None else peer.by_browser("post")
    if peer is not None and place is not None:
        stops.append(Stop(peer, place, named))
