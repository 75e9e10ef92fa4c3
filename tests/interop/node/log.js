// The vectors of the log (SPEC 22), tried on the reader of what it publishes.

import * as log from '../../../contracts/readers/js-log/log.js'
import { answerTo, readAccess, tilesFor } from './witness.js'
import { b64, unb64 } from '../../../contracts/readers/js/reader.js'

export function logKinds(octets, millis) {
  const raw = (list) => list.map((one) => unb64(one))
  return {
    'log-access': ({ record, bus, key }) => {
      millis(key.valid_from)
      millis(key.valid_until)
      const { by, asked, subject = null } = readAccess(octets(record), bus, key)
      return { by, asked, subject }
    },
    'log-checkpoint': ({ note, vkey }) => {
      const { origin, size, root } = log.openCheckpoint(octets(note), log.readKey(vkey))
      return { origin, size: Number(size), root: b64(root) }
    },
    'log-consistency': ({ old, old_root, new: total, new_root, proof }) => {
      log.checkConsistency(BigInt(old), unb64(old_root), BigInt(total), unb64(new_root), raw(proof))
      return {}
    },
    'log-cosignature': ({ text, line, vkey }) => {
      const told = octets(line).toString()
      return { time: Number(log.readCosignature(text, told, log.readKey(vkey))) }
    },
    'log-inclusion': ({ leaf, index, size, root, proof }) => {
      log.checkInclusion(unb64(leaf), BigInt(index), BigInt(size), unb64(root), raw(proof))
      return {}
    },
    'log-key': ({ vkey }) => {
      const { id, type } = log.readKey(vkey)
      return { key_id: id, type }
    },
    'log-leaf': ({ salt, record }) => {
      log.readRecord(octets(record))
      const entry = log.entryOf(unb64(salt, 32), octets(record))
      return { entry: b64(entry), leaf: b64(log.leafOf(entry)) }
    },
    'log-policy': ({ policy, note }) => {
      const { checkpoint, witnesses, quorum } = log.checkNote(log.readPolicy(octets(policy)), octets(note))
      return { size: Number(checkpoint.size), witnesses, quorum }
    },
    'log-receipt': ({ receipt, signature, value, policy }) => {
      const told = log.readPolicy(octets(policy))
      const found = log.checkReceipt(octets(receipt), octets(signature), octets(value), told)
      const { index, decision, checkpoint, quorum } = found
      return { index: Number(index), decision: b64(decision), size: Number(checkpoint.size), witnessed: quorum }
    },
    'log-request': ({ body, vkey, last }) => {
      const key = log.readKey(vkey)
      const before = last === null ? null : log.openCheckpoint(octets(last), key)
      return { status: answerTo(octets(body), key, before) }
    },
    'log-tiles': ({ old, new: total }) => {
      const paths = tilesFor(old, total)
      return { paths: paths.length > 8 ? [...paths.slice(0, 2), ...paths.slice(-6)] : paths }
    },
  }
}
