"""What the routes of `/me` work with: one field for each flow. `broker.own_pages` makes it."""

from dataclasses import dataclass

from broker.flow.me.me_visits import MeVisits
from broker.flow.parents.parent_visits import ParentVisits
from broker.flow.requests.filing import RequestDesk


@dataclass(frozen=True, slots=True)
class MeWeb:
    """The flows of `/me`."""

    visits: MeVisits
    requests: RequestDesk
    parents: ParentVisits
