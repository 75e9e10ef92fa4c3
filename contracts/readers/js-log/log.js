// Reads what the log of referral-bus publishes and proves, in Node: checkpoints, cosignatures, proofs, receipts, policies. It was made from
// ../../SPEC.md, section 22, and from C2SP's texts. Bytes are Buffers, sizes BigInts; what is refused throws a Refusal.

import * as crypto from 'node:crypto'
import { b64, hash, lp, refuse, rootOf, signingKid, trying } from '../js/reader.js'

const MOST = 2n ** 63n - 1n
const LOG = 1
const WITNESS = 4
export const NOTHING = hash()
const EQUAL = (a, b) => Buffer.compare(a, b) === 0
const pair = (left, right) => hash(Buffer.of(1), left, right)
export const utf8 = (value, code) => trying(code, () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value))
const latin = (value) => Buffer.from(value).toString('latin1')

function std64(text, code) {
  const data = Buffer.from(text, 'base64')
  refuse(data.toString('base64') !== text, code)
  return data
}

export function hash64(text, code) {
  const data = std64(text, code)
  refuse(data.length !== 32, code)
  return data
}

export function size(text, code) {
  refuse(!/^(0|[1-9][0-9]{0,18})$/.test(text) || BigInt(text) > MOST, code)
  return BigInt(text)
}

// c2sp.org/signed-note: keys, notes, signature lines.
const isName = (name) => name !== '' && !/[\s+\u0000-\u001f]/u.test(name)

export function readKey(vkey) {
  const [, name, id, told] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(vkey) ?? refuse(true, 'malformed-key')
  const material = std64(told, 'malformed-key')
  refuse(!isName(name) || ![LOG, WITNESS].includes(material[0]), 'malformed-key')
  signingKid(material.subarray(1))
  refuse(hash(Buffer.from(`${name}\n`), material).toString('hex', 0, 4) !== id, 'malformed-key')
  return { name, id, type: material[0], public: material.subarray(1), vkey }
}

function verified(key, signature, message) {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: b64(key.public) }
  return crypto.verify(null, Buffer.from(message), crypto.createPublicKey({ key: jwk, format: 'jwk' }), signature)
}

function signs(key, text, raw) {
  if (key.type === LOG) return raw.length === 64 && verified(key, raw, text)
  const time = raw.length === 72 ? raw.readBigUInt64BE() : 0n
  return time > 0n && time <= MOST && verified(key, raw.subarray(8), `cosignature/v1\ntime ${time}\n${text}`)
}

export function readSignatures(lines) {
  const found = lines.split('\n')
  refuse(found.pop() !== '' || found.length < 1 || found.length > 100, 'bad-note')
  return found.map((line) => {
    const [, name, told] = /^\u2014 ([^ ]*) (.*)$/su.exec(line) ?? refuse(true, 'bad-note')
    const data = std64(told, 'bad-note')
    refuse(!isName(name) || data.length < 5, 'bad-note')
    return { name, id: data.toString('hex', 0, 4), raw: data.subarray(4) }
  })
}

export function readNote(note) {
  refuse(note.length > 262144, 'bad-note')
  const whole = utf8(note, 'bad-note')
  const end = whole.lastIndexOf('\n\n')
  refuse(end < 0 || /[\u0000-\u0009\u000b-\u001f]/.test(whole), 'bad-note')
  return { text: whole.slice(0, end + 1), signatures: readSignatures(whole.slice(end + 2)) }
}

const isBy = (signature, key) => signature.name === key.name && signature.id === key.id

export function openNote(note, keys) {
  const { text, signatures } = readNote(note)
  const by = new Set()
  for (const signature of signatures) {
    const key = keys.find((one) => isBy(signature, one))
    if (key === undefined || by.has(key)) continue
    refuse(!signs(key, text, signature.raw), 'bad-signature')
    by.add(key)
  }
  refuse(by.size === 0, 'bad-signature')
  return { text, by }
}

// c2sp.org/tlog-checkpoint, tlog-cosignature.
export function readCheckpoint(text) {
  const lines = text.split('\n')
  refuse(lines.length < 4 || lines.pop() !== '' || lines.includes(''), 'bad-checkpoint')
  const [origin, told, root, ...more] = lines
  return { origin, size: size(told, 'bad-checkpoint'), root: hash64(root, 'bad-checkpoint'), more }
}

function checkpointOf({ text, by }, key) {
  refuse(!by.has(key), 'bad-signature')
  const found = readCheckpoint(text)
  refuse(found.origin !== key.name || found.more.length > 0, 'bad-checkpoint')
  refuse(found.size === 0n && !EQUAL(found.root, NOTHING), 'bad-checkpoint')
  return found
}

export const openCheckpoint = (note, key) => checkpointOf(openNote(note, [key]), key)

export function readCosignature(text, line, witness) {
  const [signature] = readSignatures(`${line}\n`)
  refuse(witness.type !== WITNESS || !isBy(signature, witness) || !signs(witness, text, signature.raw), 'bad-signature')
  return signature.raw.readBigUInt64BE()
}

// RFC 9162: proofs.
export function checkInclusion(leaf, index, total, root, proof) {
  refuse(index >= total || total > BigInt(Number.MAX_SAFE_INTEGER) || proof.some((one) => one.length !== 32), 'bad-proof')
  const found = trying('bad-proof', () => rootOf(leaf, Number(index), Number(total), Buffer.concat(proof)))
  refuse(!EQUAL(found, root), 'bad-proof')
}

export function checkConsistency(old, oldRoot, total, root, proof) {
  refuse([oldRoot, root, ...proof].some((one) => one.length !== 32), 'bad-proof')
  refuse(total < old, 'log-rollback')
  if (old === 0n || old === total) {
    refuse(proof.length > 0 || (old === 0n && !EQUAL(oldRoot, NOTHING)) || (total === 0n && !EQUAL(root, NOTHING)), 'bad-proof')
    refuse(old === total && !EQUAL(oldRoot, root), 'log-fork')
    return
  }
  const hashes = (old & (old - 1n)) === 0n ? [oldRoot, ...proof] : [...proof]
  let [node, last] = [old - 1n, total - 1n]
  for (; node & 1n; node >>= 1n) last >>= 1n
  let before = hashes.shift() ?? refuse(true, 'bad-proof')
  let after = before
  for (const sibling of hashes) {
    refuse(last === 0n, 'bad-proof')
    if (node & 1n || node === last) {
      before = pair(sibling, before)
      after = pair(sibling, after)
      for (; !(node & 1n) && node !== 0n; node >>= 1n) last >>= 1n
    } else after = pair(after, sibling)
    node >>= 1n
    last >>= 1n
  }
  refuse(last !== 0n || !EQUAL(before, oldRoot) || !EQUAL(after, root), 'bad-proof')
}

// Leaves: of an event with its decision, or of a statement.
function parts(data, count, code) {
  const found = []
  let at = 0
  for (let i = 0; i < count; i += 1) {
    refuse(at + 4 > data.length, code)
    const end = at + 4 + data.readUInt32BE(at)
    found.push(data.subarray(at + 4, end))
    at = end
  }
  refuse(at !== data.length, code)
  return found
}

export function readRecord(record) {
  const [signature, value, ...decided] = parts(record, 5, 'malformed-record')
  if (decided.every((one) => one.length > 0)) return { signature, value, decision: decided[0] }
  const signatures = latin(signature).split('\n')
  const none = decided.some((one) => one.length > 0) || value.length === 0 || signatures.includes('') || signatures.length > 2
  refuse(none, 'malformed-record')
  return { signatures, value }
}

export const entryOf = (salt, record) => hash(Buffer.from('referral-bus-leaf/v1\n'), salt, record)
export const leafOf = (entry) => hash(Buffer.of(0), entry)

// c2sp.org/tlog-policy.
export function readPolicy(value) {
  const bad = (fault) => refuse(fault, 'bad-log-policy')
  const [logs, named, members, publics] = [[], new Map(), new Set(), new Set()]
  let quorum
  const key = (vkey, type) => {
    const found = trying('bad-log-policy', () => readKey(vkey))
    bad(found.type !== type || publics.has(b64(found.public)))
    publics.add(b64(found.public))
    return found
  }
  const name = (told, one) => {
    bad(told === 'none' || named.has(told))
    named.set(told, one)
  }
  const takes = {
    log: (rest) => bad(![1, 2].includes(rest.length)) ?? logs.push(key(rest[0], LOG)),
    witness: (rest) => bad(![2, 3].includes(rest.length)) ?? name(rest[0], { key: key(rest[1], WITNESS) }),
    group: ([told, count, ...those]) => {
      bad(those.length === 0)
      const least = { all: those.length, any: 1 }[count] ?? (/^[1-9][0-9]{0,3}$/.test(count) ? Number(count) : 0)
      bad(least < 1 || least > those.length)
      for (const one of those) {
        bad(!named.has(one) || members.has(one))
        members.add(one)
      }
      name(told, { least, those })
    },
    quorum: (rest) => {
      bad(quorum !== undefined || rest.length !== 1 || (rest[0] !== 'none' && !named.has(rest[0])))
      quorum = rest[0]
    },
  }
  const lines = latin(value).split('\n')
  bad(/[^\t\n\x20-\x7e\x80-\xff]/.test(latin(value)) || lines.length > 1024)
  for (const line of lines) {
    const [word, ...rest] = line.split(/[ \t]+/).filter((one) => one !== '')
    if (word === undefined || word.startsWith('#')) continue
    bad(!Object.hasOwn(takes, word))
    takes[word](rest)
  }
  bad(quorum === undefined || logs.length === 0)
  return { logs, named, quorum }
}

export function checkNote({ logs, named, quorum }, note) {
  const witnesses = [...named].filter(([, one]) => one.key)
  const opened = openNote(note, [...logs, ...witnesses.map(([, one]) => one.key)])
  const log = logs.find((one) => opened.by.has(one)) ?? refuse(true, 'bad-signature')
  const names = witnesses.filter(([, one]) => opened.by.has(one.key)).map(([name]) => name)
  const reached = new Set([...names, 'none'])
  for (const [name, one] of named) if (one.those?.filter((each) => reached.has(each)).length >= one.least) reached.add(name)
  return { checkpoint: checkpointOf(opened, log), witnesses: names, quorum: reached.has(quorum) }
}

// c2sp.org/tlog-proof, with what of the leaf the event does not tell in its extra line.
export function checkReceipt(receipt, signature, value, policy) {
  refuse(receipt.length > 262144 + 32768, 'bad-proof')
  const form = /^c2sp\.org\/tlog-proof@v1\n(?:extra ([A-Za-z0-9+/=]+)\n)?index ([0-9]+)\n((?:[A-Za-z0-9+/=]+\n)*)\n(.+)$/s
  const [, extra, told, lines, note] = form.exec(latin(receipt)) ?? refuse(true, 'bad-proof')
  const index = size(told, 'bad-proof')
  const path = lines.split('\n').slice(0, -1).map((one) => hash64(one, 'bad-proof'))
  const opened = std64(extra ?? '', 'bad-proof')
  refuse(path.length > 63 || opened.length > 16384, 'bad-proof')
  const [decision, decided, root] = parts(opened.subarray(32), 3, 'bad-proof')
  const record = lp(signature, value, decision, decided, root)
  const checked = checkNote(policy, Buffer.from(note, 'latin1'))
  checkInclusion(leafOf(entryOf(opened.subarray(0, 32), record)), index, checked.checkpoint.size, checked.checkpoint.root, path)
  const about = trying('bad-decision', () => JSON.parse(utf8(decision, 'bad-decision')).event)
  refuse(about !== b64(hash(value)), 'bad-proof')
  return { index, decision: hash(Buffer.of(0), decision), ...checked }
}
