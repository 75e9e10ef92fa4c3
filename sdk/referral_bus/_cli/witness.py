"""`witness`: an agency runs a witness of the log: its key, its server, and what it has seen."""

import signal
import socket
from typing import Annotated, Final

import typer

from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.faults import advise, complain, mention
from referral_bus._cli.files import read_bytes
from referral_bus._cli.screen import Fields, columns, heading, when
from referral_bus._cli.world import Exit
from referral_bus.witness.key import WitnessKey
from referral_bus.witness.serving import WitnessApp, logs_of
from referral_bus.witness.store import Dispute, Seen, WitnessStore
from referral_contracts.codes import Code, hint
from referral_contracts.encoding import format_time
from referral_contracts.errors import LocalError
from referral_contracts.log.note import NoteSignature, std64
from referral_contracts.log.policy import Policy
from referral_contracts.log.witnessing import Conflict, Refused, Submitted

PORT: Final = 8471
_POLICY_MAX: Final = 262_144
_LINGER_S: Final = 5

KeyFile = Annotated[str, typer.Option("--key", metavar="FILE", help="The witness' private key.")]
StoreFile = Annotated[str, typer.Option(metavar="FILE", help="What it remembers; made with the key, and once.")]


def add_to(app: typer.Typer) -> None:
    """Add the group to *app*."""
    group = new_group(app, "witness", "Run a witness of the log: it cosigns one history and no other.")
    add(group, "key", key, json="name, vkey, key, store", local=True)
    add(group, "run", run, json="url, vkey, logs[]", local=True)
    shown = "name, vkey, logs[]{origin, size, root, seen}, disputes[]{origin, seen, note, against}"
    add(group, "show", show, json=shown, local=True)


def key(
    call: Call,
    *,
    name: Annotated[str, typer.Option(metavar="NAME", help="Its name, such as witness.commune-a.example.")],
    out: Annotated[str, typer.Option(metavar="FILE", help="A new file for the private key (mode 0600).")],
    store: Annotated[str, typer.Option(metavar="FILE", help="A new file for what it will remember.")],
) -> Exit:
    """
    Make a witness' key and its store. Files that exist are never written over.

    The public key, which it prints, goes into the log policy of all who rely on this witness.
    """
    made = WitnessKey.generate(name)
    for file, save in ((out, made.save), (store, lambda path: WitnessStore.create(path, made).close())):
        try:
            save(file)
        except LocalError as error:
            raise LocalError(error.code, f"{file}: {error.detail}") from error
    vkey = made.public.vkey
    told: Fields = {"name": name, "vkey": vkey, "key": out, "store": store}
    call.screen.put(told, heading(f"{name}  {out}  {store}"), f"witness {name} {vkey}")
    return Exit.DONE


async def run(
    call: Call,
    *,
    key_file: KeyFile,
    store: StoreFile,
    policy: Annotated[str, typer.Option(metavar="FILE", help="The log policy: the logs that it cosigns.")],
    host: Annotated[str, typer.Option(metavar="HOST", help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="On which port; 0 takes one that is free.")] = PORT,
) -> Exit:
    """
    Cosign checkpoints that continue what was cosigned before, over HTTP, until it is ended.

    It cosigns nothing else, and tells on standard error of what it did not cosign.
    """
    import uvicorn  # noqa: PLC0415 - a server, which no other verb needs

    found = WitnessKey.load(key_file)
    logs = logs_of(Policy.parse(read_bytes(policy, _POLICY_MAX)))
    opened = WitnessStore.open(store, found)
    app = WitnessApp(opened, logs, call.world.clock, _tell)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=_LINGER_S
    )
    # uvicorn raises the signal again once it has ended in order; then there is nothing left to do.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with _listener(host, port) as listener:
            url = f"http://{host}:{listener.getsockname()[1]}"
            told: Fields = {"url": url, "vkey": found.public.vkey, "logs": [*logs]}
            call.screen.put(told, heading(f"{found.name}  {url}"), *logs)
            await uvicorn.Server(config).serve(sockets=[listener])
    finally:
        opened.close()
    return Exit.DONE


def _listener(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise LocalError(Code.INCOMPLETE_INPUT, f"{host}:{port}: cannot be listened on") from error


def _tell(submitted: Submitted, outcome: NoteSignature | Conflict | Refused) -> None:
    found = submitted.checkpoint
    match outcome:
        case Conflict(forked=True) | Refused(forked=True):
            complain(f"log-fork: {found.origin} signed two trees of the size {found.size}", hint(Code.LOG_FORK))
        case Refused():
            complain(f"{outcome.code.value}: {found.origin}, size {found.size}: {outcome.detail}")
        case Conflict() if found.size < outcome.size:
            mention(f"{found.origin}: asked for size {found.size}, has cosigned {outcome.size}")
        case _:
            pass


def show(call: Call, *, key_file: KeyFile, store: StoreFile) -> Exit:
    """Show the last checkpoint of each log that was cosigned, and what contradicts it: that is evidence."""
    found = WitnessKey.load(key_file)
    opened = WitnessStore.open(store, found)
    seen = [last for origin in opened.origins() if (last := opened.last(origin)) is not None]
    disputes = opened.disputes()
    opened.close()
    told: Fields = {
        "name": found.name,
        "vkey": found.public.vkey,
        "logs": [_seen(one) for one in seen],
        "disputes": [_dispute(one) for one in disputes],
    }
    rows = [
        (one.checkpoint.origin, str(one.checkpoint.size), std64(one.checkpoint.root), when(one.seen_s * 1000))
        for one in seen
    ]
    lines = columns(rows, "log", "size", "root", "cosigned")
    evidence = [text for one in disputes for text in (one.note.decode(), one.against.decode())]
    call.screen.put(told, heading(f"{found.name}  {found.public.vkey}"), lines, *evidence)
    if disputes:
        complain(f"log-fork: {len(disputes)} checkpoints contradict what was cosigned")
        advise(hint(Code.LOG_FORK))
        return Exit.ALARM
    return Exit.DONE


def _seen(seen: Seen) -> Fields:
    found = seen.checkpoint
    return {
        "origin": found.origin,
        "size": found.size,
        "root": std64(found.root),
        "seen": format_time(seen.seen_s * 1000),
    }


def _dispute(dispute: Dispute) -> Fields:
    return {
        "origin": dispute.origin,
        "seen": format_time(dispute.seen_s * 1000),
        "note": dispute.note.decode(),
        "against": dispute.against.decode(),
    }
