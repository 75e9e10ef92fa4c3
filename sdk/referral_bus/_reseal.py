"""
Sealing again what waited so long in the outbox that a reader's key ran out.

Only what this agency itself sealed and nobody has signed: it opens its own copy and seals it to the same addresses,
under the keys that the directory has for them now. What is signed is never touched.
"""

from referral_bus.keys import AgencyKeys
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.envelope import Envelope
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.sealing import SealContext, seal, unseal
from referral_contracts.wire import Section


def resealed(envelope: Envelope, directory: Directory, keys: AgencyKeys, now_ms: int) -> Envelope:
    """
    Return *envelope* with every section readable by keys that are valid at *now_ms*.

    Raises:
        LocalError: A reader has no valid key any more, or our own copy does not open.
    """
    sections = tuple(
        section
        if all(directory.may_seal_to(reader.address, reader.kid, now_ms) for reader in section.readers)
        else _again(section, envelope.seal_context(index), directory, keys, now_ms)
        for index, section in enumerate(envelope.data.sections)
    )
    return envelope.model_copy(update={"data": envelope.data.model_copy(update={"sections": sections})})


def _again(section: Section, context: SealContext, directory: Directory, keys: AgencyKeys, now_ms: int) -> Section:
    readers = [directory.reader(reader.address, now_ms) for reader in section.readers]
    for reader in section.readers:
        key = keys.opener(reader.address, reader.kid)
        if key is not None:
            try:
                return seal(unseal(section, context, reader.address, key), context, readers).section
            except RemoteError as error:
                raise LocalError(error.code, "our own copy does not open") from error
    raise LocalError(Code.NOT_A_READER, "the key file lacks the key of our own copy")
