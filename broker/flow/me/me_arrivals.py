"""From a login at school to who looks: the roots by which that school's receipts are found."""

from datetime import datetime

from broker.domain.dutch_days import day_of
from broker.domain.registry import Registry
from broker.flow.enrolment.enrolments import SchoolLists, meet_list
from broker.flow.me.me_records import MeSession
from broker.flow.me.me_refusals import MeClosed
from broker.flow.own_logins.own_logins import OwnLoginResult
from broker.flow.persons.successors import derive_old_roots
from broker.pseudonyms.derivation import RootKey


async def make_own_session(
    result: OwnLoginResult,
    *,
    registry: Registry,
    lists: SchoolLists,
    key: RootKey,
    now: datetime,
) -> MeSession:
    """Return what is kept of somebody who logged in at a school to look.

    Who it is, is decided as at any login: by what the login states and by the school's list. Of a
    login of several schools it is the one that was chosen.

    Raises:
        MeClosed: it was no school's login.
        Refusal: of `meet_list`.
    """
    if result.identity is None or result.school is None:
        raise MeClosed("check_login_of_school")
    today = day_of(now)
    identity, presented, listed = await meet_list(
        result.identity, idp=result.idp, lists=lists, root=key, today=today
    )
    return MeSession(
        visitor="self",
        school=result.school.id,
        population=presented.population,
        eck_root=presented.eck_id,
        local_root=presented.local,
        old_roots={**listed, **derive_old_roots(identity, registry, today, key)},
        first_name=result.first_name,
        began_at=now,
    )
