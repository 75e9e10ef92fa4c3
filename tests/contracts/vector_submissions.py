"""One submission more in a story: judged by a router that has judged what was before it, by the vector files alone."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import read_decision, read_verdict
from referral_contracts.directory import Directory
from referral_contracts.encoding import parse_time, unb64
from referral_contracts.errors import RemoteError, Tampered
from referral_contracts.keys import SigningKey
from referral_contracts.records import Record, Write
from referral_router.core import Lane, Router, examine, verify_signature
from tests.contracts.vector_life import checked, founded, octets
from tests.house.tree import ROOT

Given = Mapping[str, Any]


@lru_cache
def story(name: str) -> dict[str, Any]:
    """Return the vector that is the story of this name."""
    path = ROOT / f"contracts/vectors/{name}.json"
    if not path.is_file():
        raise RemoteError(Code.MALFORMED_VALUE, "no such story")
    told: dict[str, Any] = json.loads(path.read_text())
    return told


def _record(said: Given, headers: tuple[tuple[str, bytes], ...]) -> Record:
    key, value = said["key"], said["value"]
    return Record(
        said["partition"],
        said["offset"],
        parse_time(said["stamp"]),
        None if key is None else key.encode(),
        None if value is None else octets(value),
        headers,
        fault=Code(said["fault"]) if "fault" in said else None,
    )


@lru_cache
def _after(name: str, number: int) -> tuple[Router, Directory]:
    """Return the router and its directory after so many submissions of a story."""
    told = story(name)
    directory = founded(told)
    key = SigningKey.from_seed(unb64(told["keys"]["router"]["seed"]))
    partition = told["submissions"][0]["partition"]
    lane = Lane(bus=told["bus"], partition=partition, key=key, salts=lambda many, size: [bytes(size)] * many)
    router = Router(lane, told["partitions"])
    for said in told["submissions"][:number]:
        record = _record(said, ((topics.H_SIGNATURE, octets(said["signature"])),))
        found = examine(record, directory, told["bus"])
        verify_signature(found)
        router.merge(router.step([found], directory, told["keys"]))
    return router, directory


def submitted(given: Given) -> Given:
    """Judge the submission; the records that the vector has say the same of it."""
    told = story(given["story"])
    router, directory = _after(given["story"], given["after"])
    said = given["submission"]
    record = _record(said, tuple((name, octets(header)) for name, header in said["headers"]))
    found = examine(record, directory, told["bus"])
    verify_signature(found)
    step = router.step([found], directory, told["keys"])
    code = _said(given, [write for write in step.writes if write.topic != topics.STATE], directory, told["bus"])
    if code is not Code.ACCEPTED:
        raise RemoteError(code)
    return {}


def _plain(headers: Mapping[str, bytes]) -> Mapping[str, bytes | None]:
    """Return the headers that are the same whatever the salts, and the names of the others."""
    same = (topics.H_KIND, topics.H_SIGNATURE)
    return {name: header if name in same else None for name, header in headers.items()}


def _said(given: Given, writes: list[Write], directory: Directory, bus: str) -> Code:
    """Return the code of the decision; what was written is what the vector has, but for salts and what is over them."""
    submitted_value = given["submission"]["value"]
    codes = []
    for record, write in zip(given["records"], writes, strict=True):
        headers = {name: octets(header) for name, header in record["headers"]}
        value = record.get("value")
        if value is not None:
            value = octets(submitted_value if "submission" in value else value)
        own = dict(write.headers)
        place = (write.topic, write.partition, None if write.key is None else write.key.decode(), _plain(own))
        if (record["topic"], record["partition"], record["key"], _plain(headers)) != place:
            raise Tampered(Code.BAD_DECISION, "not where the bus writes it")
        try:
            checked(record, headers, value, directory, bus)
        except AssertionError as error:
            raise Tampered(Code.BAD_DECISION, "not what the bus states") from error
        if topics.H_DECISION in headers:
            one, other = read_decision(headers[topics.H_DECISION]), read_decision(own[topics.H_DECISION])
            codes.append(one.code)
            salted = {"previous": "", "salt": ""}
            if one.model_copy(update=salted) != other.model_copy(update=salted):
                raise Tampered(Code.BAD_DECISION, "another decision")
        elif value is not None and headers[topics.H_KIND] == topics.KIND_VERDICT:
            codes.append(read_verdict(value).code)
    if len({*codes}) != 1:
        raise Tampered(Code.BAD_DECISION, "a decision and a verdict that differ")
    return codes[0]
