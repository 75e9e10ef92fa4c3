"""
An agency as the stage manager sees it: a process to start, to tell what to send, to listen to, and to end.

Every wait has a deadline and ends in `NotAsTold`: the story then stops and says where.
"""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self, TypeVar

from referral_contracts.envelope import HandoffKey
from referral_contracts.verbs import Verb
from talk import Heard, Look, Order, Ready, Recall, Said, Seen, read_report

PROGRAM: Final = Path(__file__).with_name("demo_agency.py")
_WAIT_S: Final = 40.0
_START_S: Final = 60.0
_STOP_S: Final = 10.0
_LINE_MAX: Final = 1 << 22

_T = TypeVar("_T")


class NotAsTold(Exception):
    """Something did not come out as the story says; the text says what."""


class Office:
    """One agency's process."""

    def __init__(self, agency: str, folder: Path, process: asyncio.subprocess.Process) -> None:
        """Listen to a *process* that `open` has started."""
        self.agency = agency
        self.log = folder / "agency.log"
        self._process = process
        self._numbers = 0
        self._answers: dict[int, asyncio.Future[Said | Seen]] = {}
        self._ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self._inbox: list[Heard] = []
        self._news = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def open(cls, agency: str, folder: Path) -> Self:
        """Start the agency's process; `ready` says when it listens."""
        with (folder / "agency.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(PROGRAM),
                str(folder),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=_LINE_MAX,
                # Out of the terminal's reach: Ctrl-C is for the stage manager, who ends them in order.
                process_group=0,
            )
        return cls(agency, folder, process)

    async def ready(self) -> Ready:
        """Return once the agency has its directory and listens."""
        return await self._in_time(asyncio.shield(self._ready), _START_S, "does not come up")

    async def say(
        self,
        verb: Verb,
        *,
        subject: str | None = None,
        handoff: HandoffKey | None = None,
        files: Sequence[str] = (),
        parts: Mapping[str, Sequence[str]] | None = None,
        hurry: bool = False,
    ) -> tuple[int, Said]:
        """Let the agency send something; return the order's number and what became of it."""
        number = self._next()
        told = {recipient: tuple(names) for recipient, names in (parts or {}).items()}
        order = Order(
            number=number, verb=verb, subject=subject, handoff=handoff, files=tuple(files), parts=told, hurry=hurry
        )
        answer = await self._ask(order, f"does not say {verb.value}")
        return number, _as(Said, answer)

    async def recall(self, number: int) -> Said:
        """Return what became of an order that was in a hurry."""
        return _as(Said, await self._ask(Recall(number=self._next(), of=number), "has no verdict"))

    async def look(self, subject: str) -> Seen:
        """Return where a case stands as the agency knows it."""
        return _as(Seen, await self._ask(Look(number=self._next(), look=subject), "does not look"))

    async def hear(self, wanted: Callable[[Heard], bool], what: str) -> Heard:
        """Return the first delivery that is *wanted* and was not returned before."""

        async def found() -> Heard:
            while True:
                self._news.clear()
                for heard in self._inbox:
                    if wanted(heard):
                        self._inbox.remove(heard)
                        return heard
                await self._news.wait()

        return await self._in_time(found(), _WAIT_S, f"does not hear {what}")

    def unheard(self, subject: str) -> list[Heard]:
        """Return the deliveries of a case that nobody has asked for."""
        return [heard for heard in self._inbox if heard.subject == subject]

    def go_home(self) -> None:
        """Send the people home: the process ends in order."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def close(self) -> int:
        """Return the process's exit code once it has ended; by force if it takes too long."""
        self.go_home()
        for end in (None, self._process.terminate, self._process.kill):
            if end is not None:
                with contextlib.suppress(ProcessLookupError):
                    end()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _STOP_S)
                break
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._ready.cancel()
        return await self._process.wait()

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    async def _ask(self, wish: Order | Recall | Look, trouble: str) -> Said | Seen:
        stdin = self._process.stdin
        answer = self._answers[wish.number] = asyncio.get_running_loop().create_future()
        if stdin is not None:
            stdin.write(wish.encode())
        return await self._in_time(answer, _WAIT_S, trouble)

    async def _in_time(self, work: Awaitable[_T], timeout_s: float, trouble: str) -> _T:
        """Return what *work* returns; it is over when the process is."""
        working = asyncio.ensure_future(work)
        done, _ = await asyncio.wait((working, self._listening), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if working in done:
            return working.result()
        working.cancel()
        why = f"not within {timeout_s:.0f} s"
        if self._listening in done:
            # Nothing more will come: the process has ended, or tells what nobody here understands.
            why = repr(self._listening.exception() or "its process has ended")
        raise NotAsTold(f"{self.agency} {trouble}: {why}; its log: {self.log}")

    async def _listen(self) -> None:
        stdout = self._process.stdout
        while stdout is not None and (line := await stdout.readline()):
            report = read_report(line)
            match report:
                case Heard():
                    self._inbox.append(report)
                    self._news.set()
                case Ready():
                    self._ready.set_result(report)
                case Said() | Seen():
                    self._answers.pop(report.number).set_result(report)


def _as(kind: type[_T], report: object) -> _T:
    if not isinstance(report, kind):
        raise NotAsTold(f"an answer of another kind than {kind.__name__}")
    return report
