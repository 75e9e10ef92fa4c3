"""
What ties cases together, opened from the events that say so each time somebody looks: the store keeps it sealed.

Each link stands as the owner of one case said it last. It ties both ends, whichever of them says so. What was said to
an agency that we have followed is counted: it lies in that one's store, sealed to its keys.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from referral_bus._home import Home
from referral_bus._kept import AtHand
from referral_bus._open import open_own
from referral_bus._store import inbox, outbox, views
from referral_bus._store.views import LinkEvent
from referral_bus.views import CaseView, LinkView
from referral_contracts.envelope import Envelope
from referral_contracts.payloads.link import Link, Unlinking
from referral_contracts.payloads.payload import Payload


@dataclass(frozen=True, slots=True)
class Links:
    """What is known here of links."""

    standing: tuple[LinkView, ...]
    left: Mapping[str, int]
    """By case, the events about links that lie with an agency before us."""

    def of(self, case: CaseView) -> CaseView:
        """Return *case* with what is about it."""
        ours = tuple(link for link in self.standing if case.subject in {link.subject, link.other})
        return replace(case, links=ours, links_left=self.left.get(case.subject, 0))


def links(home: Home) -> Links:
    """Return every link that stands, as far as we were told and can open it."""
    standing: dict[tuple[str, str], LinkView] = {}
    left: Counter[str] = Counter()
    for event in views.link_events(home.store.db):
        said = _said(home, event)
        if said is None:
            left[event.subject] += 1
            continue
        source, payloads = said
        for payload in payloads:
            if isinstance(payload, Unlinking):
                for other in payload.others:
                    standing.pop((event.subject, other), None)
            elif isinstance(payload, Link):
                for other in payload.others:
                    standing[event.subject, other] = LinkView(
                        subject=event.subject,
                        other=other,
                        relation=payload.relation,
                        said_by=source,
                        admitted_ms=event.admitted_ms,
                    )
    return Links(tuple(standing.values()), left)


def _said(home: Home, event: LinkEvent) -> tuple[str, tuple[Payload, ...]] | None:
    if event.own:
        attempt = outbox.attempt(home.store.db, event.hash)
        return home.agency, () if attempt is None else open_own(Envelope.decode(attempt.value), home.agency, home.keys)
    found = inbox.of_event(home.store.db, event.hash)
    if not found:
        return None
    return found[0].source, AtHand(found[0].read_back, home.keys).opened.payloads
