"""
Agencies of a running bus that speak without the SDK: events built from the contracts alone, submitted as they are.

They can say what no client would, and thousands of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from founding import Founding
from referral_bus import AgencyKeys
from referral_contracts.directory import ROLE_WATCHER, Directory
from referral_contracts.envelope import HandoffKey, case_pseudonym, seal_context
from referral_contracts.keys import SigningKey
from referral_contracts.lifecycle import CLOCK_VERBS
from referral_contracts.sealing import SealContext, new_event_id, seal
from referral_contracts.verbs import Verb
from referral_contracts.wire import Section
from tests.envelopes import spelled
from tests.stories.world import NO_CLOCK, Said, sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Voices:
    """Everybody on a bus."""

    directory: Directory
    founding: Founding
    _keys: dict[str, AgencyKeys] = field(default_factory=dict)

    def keys(self, agency: str) -> AgencyKeys:
        if agency not in self._keys:
            self._keys[agency] = self.founding.keys(agency)
        return self._keys[agency]

    def write(
        self,
        source: str,
        verb: Verb,
        *,
        now_ms: int,
        case: str | None = None,
        to: Iterable[str] = (),
        about: HandoffKey | None = None,
        answers: Said | None = None,
        signer: SigningKey | None = None,
        clock: bytes = NO_CLOCK,
    ) -> Said:
        """
        Write an event and sign it; nobody hears it yet. All of *to* read the same, which is nothing.

        Args:
            clock: What the deadline watcher is told, where the verb needs it.
        """
        recipients = tuple(to)
        event_id = new_event_id(now_ms)
        subject = case or case_pseudonym(self.directory.head.bus, source, event_id)
        readers, texts = [(source, *recipients)], [b"{}"]
        watcher = self.directory.service(ROLE_WATCHER)
        if (verb in CLOCK_VERBS or clock is not NO_CLOCK) and watcher is not None:
            readers.append((source, watcher))
            texts.append(clock)
        contexts = [
            seal_context(self.directory.head.bus, event_id, source, subject, about, number)
            for number in range(len(readers))
        ]
        envelope = spelled(
            source,
            verb,
            recipients,
            map(self._sealed, texts, contexts, readers, [now_ms] * len(readers)),
            bus=self.directory.head.bus,
            event_id=event_id,
            subject=subject,
            now_ms=now_ms,
            about=about,
            answers=None if answers is None else answers.ref,
        )
        return sign(envelope, signer or self.keys(source).signing)

    def _sealed(self, text: bytes, context: SealContext, readers: Iterable[str], now_ms: int) -> Section:
        return seal(text, context, [self.directory.reader(name, now_ms) for name in readers]).section
