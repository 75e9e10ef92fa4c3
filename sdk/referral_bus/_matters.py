"""What is still open with this agency, as known here."""

from collections.abc import Iterable

from referral_bus._home import Home
from referral_bus._store import outbox, views
from referral_bus._store.views import Case
from referral_bus.views import CaseView, OpenMatters
from referral_contracts.directory import Directory
from referral_contracts.succession import takers
from referral_contracts.topics import agency_of


def open_matters(home: Home, directory: Directory | None) -> OpenMatters:
    """Return what is open, and to whom *directory* lets it be moved."""
    db = home.store.db
    cases, handoffs = views.open_cases(db), views.open_handoffs(db)

    def seen(found: Iterable[Case]) -> tuple[CaseView, ...]:
        told = (views.case_view(db, case.subject) for case in found)
        return tuple(case for case in told if case is not None)

    return OpenMatters(
        owned=seen(case for case in cases if case.owned),
        offered=seen(case for case in cases if not case.owned),
        received=tuple(item.view(db) for item in handoffs if agency_of(item.holder) == home.agency),
        sent=tuple(item.view(db) for item in handoffs if item.sender == home.agency),
        waiting=outbox.waiting(db),
        takers=() if directory is None else tuple(sorted(takers(directory, home.agency))),
    )
