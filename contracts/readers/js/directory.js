// Reads the directory (15): who is on the bus, and with which keys.

import { b64, canonical, half, hash, refuse, signedBy, unb64, verify } from './reader.js'

const HEAD = 'referral-bus-directory-head+jws'

// An entry, a policy or a signed head.
export function readRecord(contracts, grammar, value) {
  const record = contracts.read(grammar, value)
  const { delivery, ends_at: end, grants = [], id, keys = [], signatures = [], successors = [] } = record
  const doubled = new Set([id, ...successors]).size <= successors.length
  refuse(doubled || successors.length > (end ? 32 : 0) || keys.length > 64 || signatures.length > 16, 'malformed-envelope')
  refuse(grants.length > 64, 'malformed-envelope')
  refuse(delivery && (delivery.kind === 'via') !== (delivery.agency !== undefined), 'malformed-envelope')
  return record
}

// Enough of the pinned keys signed a head.
export function checkHead(trust, { head, signatures }) {
  refuse(head.bus !== trust.bus, 'wrong-bus')
  const good = new Set()
  for (const text of signatures.map((one) => Buffer.from(one))) {
    const key = trust.keys.find(({ kid }) => kid === signedBy(text, HEAD))
    if (key === undefined) continue
    verify(unb64(key.public, 32, 'malformed-key'), text, HEAD, canonical(head))
    good.add(key.kid)
  }
  refuse(good.size < trust.threshold, 'not-enough-signatures')
}

// The root of a Merkle tree (13).
export function merkleRoot(hashes) {
  if (hashes.length === 1) return hashes[0]
  const left = half(hashes.length)
  return hash('\x01', merkleRoot(hashes.slice(0, left)), merkleRoot(hashes.slice(left)))
}

// Entries and policy, values by key, under a signed head, in place of the one in use, or null, to be used at a time.
export function readDirectory(contracts, trust, entries, signed, inUse, at) {
  const { head, signatures } = readRecord(contracts, 'directory-head', signed)
  checkHead(trust, { head, signatures })
  if (inUse !== null) {
    const step = head.version - inUse.head.version
    refuse(step < 0, 'directory-stale')
    refuse(step === 0 && canonical(head) !== canonical(inUse.head), 'directory-forked')
    refuse(step === 1 && head.previous !== b64(hash(canonical(inUse.head))), 'directory-forked')
  }
  const keys = Object.keys(entries).sort()
  refuse(!keys.includes('@policy'), 'entry-vanished')
  const root = merkleRoot(keys.map((key) => hash('\0', entries[key])))
  refuse(keys.length !== head.entries || b64(root) !== head.root, 'directory-root')
  refuse(at >= head.expires, 'directory-expired')
  const agencies = keys.filter((key) => key !== '@policy')
  return new Map(agencies.map((key) => [key, readRecord(contracts, 'directory-entry', entries[key])]))
}
