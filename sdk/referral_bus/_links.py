"""
What ties cases together, opened from the events that say so each time somebody looks: the store keeps it sealed.

Each link stands as the owner of one case said it last. It ties both ends, whichever of them says so.
"""

from collections.abc import Iterable
from dataclasses import replace

from referral_bus._home import Home
from referral_bus._kept import AtHand
from referral_bus._open import open_own
from referral_bus._store import inbox, outbox, views
from referral_bus._store.views import LinkEvent
from referral_bus.views import CaseView, LinkView
from referral_contracts.envelope import Envelope
from referral_contracts.payloads.link import Link, Unlinking
from referral_contracts.payloads.payload import Payload


def links(home: Home) -> tuple[LinkView, ...]:
    """Return every link that stands, as far as we were told and can open it."""
    standing: dict[tuple[str, str], LinkView] = {}
    for event in views.link_events(home.store.db):
        source, payloads = _said(home, event)
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
    return tuple(standing.values())


def linked(case: CaseView, known: Iterable[LinkView]) -> CaseView:
    """Return *case* with those of *known* that are about it."""
    return replace(case, links=tuple(link for link in known if case.subject in {link.subject, link.other}))


def _said(home: Home, event: LinkEvent) -> tuple[str, tuple[Payload, ...]]:
    if event.own:
        attempt = outbox.attempt(home.store.db, event.hash)
        return home.agency, () if attempt is None else open_own(Envelope.decode(attempt.value), home.agency, home.keys)
    found = inbox.of_event(home.store.db, event.hash)
    if not found:
        return "", ()
    return found[0].source, AtHand(found[0].read_back, home.keys).opened.payloads
