// What is tried for each kind of vector (SPEC 20): given its members, what comes of it, or a Refusal.

import { readFileSync } from 'node:fs'
import { ed25519 } from '@noble/curves/ed25519.js'
import { checkHead, merkleRoot, readDirectory, readRecord } from '../../../contracts/readers/js/directory.js'
import * as bus from '../../../contracts/readers/js/reader.js'
import * as writer from '../../../contracts/readers/js/write.js'
import { body, readJSON } from './body.js'
import { change } from './change.js'
import { clockName, due, dueTold } from './due.js'
import { certainty, claim, clockCompared, clockLinks, corrects, document, inbox, succession } from './heard.js'
import { life, readLeaf, submission } from './life.js'
import { room } from './room.js'

const { refuse, unb64, b64, hash } = bus

// Bytes as a vector writes them: text, repeated text, or base64url.
export const octets = (told) =>
  told.base64url === undefined ? Buffer.from(told.utf8.repeat(told.times ?? 1)) : unb64(told.base64url)
const told = (data) => ({ base64url: b64(data) })

// 2: a time that exists.
export function millis(text) {
  const found = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) ? new Date(text) : new Date(NaN)
  refuse(Number.isNaN(found.getTime()) || found.toISOString() !== text || text < '0001', 'malformed-value')
  return found.getTime()
}

// 5: a key that somebody presents has to be a point of prime order.
export function admit(key) {
  const kid = bus.signingKid(key)
  const point = bus.trying('malformed-key', () => ed25519.Point.fromBytes(key))
  refuse(!point.isTorsionFree(), 'weak-key')
  return kid
}

// 5: and a sealing key has to take a trial seal.
export function admitSealing(key) {
  const kid = bus.sealingKid(key)
  try {
    writer.seal('', { a: key }, '')
  } catch {
    throw new bus.Refusal('weak-key')
  }
  return kid
}

export function policy(contracts, value) {
  const told = readRecord(contracts, 'directory-policy', value)
  refuse(told.keep_closed_ms < 3 * told.window_ms, 'malformed-envelope')
  const ends = (told.outages ?? []).flatMap(({ since, until }) => [since, until])
  refuse(ends.some((end, index) => index > 0 && end <= ends[index - 1]), 'malformed-envelope')
}

// A vector's section in an event of its context, read as every event, and what it is bound to.
function placed(contracts, { section, context: { section: name, handoff, ...told } }) {
  refuse(!/^s(0|[1-9][0-9]*)$/.test(name), 'malformed-section')
  const data = { ...(handoff && { handoff }), recipients: [], sections: [section] }
  const event = contracts.readEvent(Buffer.from(bus.canonical({
    ...told, data, datacontenttype: 'application/json', exercise: true, specversion: '1.0',
    time: '2026-03-14T02:20:00.000Z', type: 'vn.referral-bus.case.opened.v1',
  })))
  return [event.data.sections[0], bus.context(event, Number(name.slice(1)))]
}

function step(lifecycle, machine, { state, verb, part }) {
  const said = (one) => one.verb === verb && one.part === part
  const found = lifecycle[machine][state]?.find(said)
  if (found !== undefined) return { after: found.after }
  const ever = [...Object.values(lifecycle[machine]).flat(), ...(machine === 'handoffs' ? lifecycle.receipts.none : [])].some(said)
  throw new bus.Refusal(ever || machine === 'receipts' ? 'illegal-transition' : 'wrong-party')
}

function pathTo(i, hashes) {
  if (hashes.length === 1) return []
  const left = 2 ** Math.floor(Math.log2(hashes.length - 1))
  const [mine, other] = i < left ? [hashes.slice(0, left), hashes.slice(left)] : [hashes.slice(left), hashes.slice(0, left)]
  return [...pathTo(i < left ? i : i - left, mine), merkleRoot(other)]
}

// 11: the hash by which Kafka's own client chooses a partition.
function murmur2(data) {
  const M = 0x5bd1e995
  const mixed = (k) => Math.imul(k ^ (k >>> 24), M)
  let h = 0x9747b28c ^ data.length
  let at = 0
  for (; at + 4 <= data.length; at += 4) h = Math.imul(h, M) ^ mixed(Math.imul(data.readInt32LE(at), M))
  if (at < data.length) h = Math.imul(h ^ Buffer.concat([data.subarray(at), Buffer.alloc(4)]).readInt32LE(0), M)
  h = Math.imul(h ^ (h >>> 13), M)
  return h ^ (h >>> 15)
}

function trustRoot(value) {
  const root = bus.trying('malformed-value', () => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value)))
  const members = (one, names) => refuse(Object.keys(one ?? {}).sort().join() !== names, 'malformed-value')
  members(root, 'bus,keys,threshold')
  refuse(typeof root.bus !== 'string' || !/^[a-z0-9-]{1,63}$/.test(root.bus) || !Array.isArray(root.keys), 'malformed-value')
  for (const key of root.keys) {
    members(key, 'kid,public')
    refuse(admit(unb64(key.public, 32)) !== key.kid, 'malformed-key')
  }
  const kids = new Set(root.keys.map(({ kid }) => kid))
  refuse(kids.size !== root.keys.length, 'malformed-key')
  refuse(!Number.isInteger(root.threshold) || root.threshold < 1 || root.threshold > kids.size, 'malformed-value')
}

function written(contracts, { event, verb, parts, seed, now }) {
  const sealed = parts.map(({ plaintext, readers }) => ({
    plaintext,
    readers: Object.fromEntries(Object.entries(readers).map(([address, key]) => [address, unb64(key, 1216)])),
  }))
  const { value, signature } = writer.write(contracts, event, verb, sealed, unb64(seed, 32), now)
  return { value: b64(value), signature }
}

export function kindsOf(contracts, folder) {
  const leaf = (kind) => (v) => {
    readLeaf(contracts, kind, octets(v.leaf))
    return { hash: b64(hash('\0', octets(v.leaf))) }
  }
  const record = (grammar) => (v) => void readRecord(contracts, grammar, octets(v.value)) ?? {}
  return {
    'base64url': (v) => ({ bytes: told(unb64(v.text, v.size)) }),
    'body': (v) => body(octets(v.plaintext), folder),
    'change': (v) => {
      trustRoot(Buffer.from(bus.canonical(v.trust_root)))
      return change(contracts, v)
    },
    'case-step': (v) => step(contracts.lifecycle, 'cases', v),
    'handoff-step': (v) => step(contracts.lifecycle, 'handoffs', v),
    'receipt-step': (v) => step(contracts.lifecycle, 'receipts', { ...v, state: v.receipt, part: 'recipient' }),
    'claim': ({ plaintext, source }) => ({ claim: claim(readJSON(octets(plaintext)), source) }),
    'certainty': (v) => certainty(v, folder),
    'clock-bounds': ({ told, more }) => refuse(told + more > 256, 'too-many') ?? {},
    'clock-compared': clockCompared,
    'clock-links': (v) => ({ clock: told(clockLinks(readJSON(octets(v.plaintext)))) }),
    'clock-name': clockName,
    'correction': (v) => ({ corrects: corrects(v.held.map(octets), contracts, octets(v.value)) }),
    'decision': leaf('decision'),
    'delivery': leaf('delivery'),
    'verdict': leaf('verdict'),
    'directory': (v) => {
      trustRoot(Buffer.from(bus.canonical(v.trust_root)))
      refuse(Object.values(v.entries).includes(null), 'entry-vanished')
      const entries = Object.fromEntries(Object.entries(v.entries).map(([key, value]) => [key, octets(value)]))
      const inUse = v.in_use && readRecord(contracts, 'directory-head', octets(v.in_use))
      readDirectory(contracts, v.trust_root, entries, octets(v.head), inUse, v.at)
      return { version: JSON.parse(octets(v.head)).head.version }
    },
    'disclosed-section': (v) => ({ plaintext: told(bus.open(...placed(contracts, v), octets(v.cek))) }),
    'document': (v) => ({ document: told(document(v.reference, octets(v.stored))) }),
    'due': due,
    'due-told': dueTold,
    'entry': record('directory-entry'),
    'policy': (v) => void policy(contracts, octets(v.value)) ?? {},
    'signed-head': record('directory-head'),
    'envelope': (v) => ({ verb: contracts.readEvent(octets(v.value)).verb, event: b64(hash(octets(v.value))) }),
    'head-signatures': (v) => {
      trustRoot(Buffer.from(bus.canonical(v.trust_root)))
      checkHead(v.trust_root, readRecord(contracts, 'directory-head', octets(v.head)))
      return {}
    },
    'inbox': (v) => {
      const story = bus.trying('no-such-story', () => JSON.parse(readFileSync(`${folder}/vectors/${v.story}.json`)))
      return { events: inbox(contracts, story, v, octets) }
    },
    'json': (v) => ({ canonical: told(bus.canonical(readJSON(octets(v.bytes)))) }),
    'length-prefix': (v) => ({ bytes: told(bus.lp(...v.parts.map(octets))) }),
    'life': (v) => {
      trustRoot(Buffer.from(bus.canonical(v.trust_root)))
      return life(contracts, v, octets)
    },
    'merkle-path': (v) => {
      refuse(b64(bus.rootOf(unb64(v.leaf_hash), v.index, v.size, unb64(v.path))) !== v.root, 'bad-decision')
      return {}
    },
    'merkle-tree': (v) => {
      const hashes = v.leaves.map((one) => hash('\0', octets(one)))
      return { root: b64(merkleRoot(hashes)), paths: hashes.map((_, i) => b64(Buffer.concat(pathTo(i, hashes)))) }
    },
    'notice-id': (v) => {
      const told = [v.bus, v.subject, v.about, v.verb, v.recipient, String(v.level), String(v.step)]
      const raw = hash(bus.lp('referral-bus/v1/notice', ...told)).subarray(0, 16)
      raw[6] = (raw[6] & 0x0f) | 0x80
      raw[8] = (raw[8] & 0x3f) | 0x80
      return { id: raw.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') }
    },
    'partition': (v) => ({ partition: (murmur2(Buffer.from(v.subject)) & 0x7fffffff) % v.partitions }),
    'proof': (v) => {
      bus.signingKid(octets(v.public))
      bus.checkProof(octets(v.public), octets(v.leaf), octets(v.path), octets(v.root), v.bus, v.partition)
      return {}
    },
    'pseudonym': (v) => ({ subject: writer.pseudonym(v.bus, v.source, v.id) }),
    'recall': ({ state, receipt }) => {
      const early = contracts.lifecycle.not_shown_held.includes(state) && receipt === 'none'
      refuse(early || !Object.hasOwn(contracts.lifecycle.receipts, receipt), 'illegal-transition')
      return step(contracts.lifecycle, 'handoffs', { state, verb: 'handoff.recalled', part: 'sender' })
    },
    'room': (v) => room(contracts.lifecycle, v),
    'sealing-key': (v) => ({ kid: admitSealing(octets(v.public)) }),
    'section': (v) => {
      const cek = bus.contentKey(...placed(contracts, v), v.address, octets(v.secret))
      return { plaintext: told(bus.open(...placed(contracts, v), cek)), cek: b64(cek) }
    },
    'signature': (v) => {
      admit(octets(v.public))
      bus.verify(octets(v.public), octets(v.text), v.typ, octets(v.payload))
      refuse(writer.sign(unb64(v.seed), v.typ, octets(v.payload)) !== octets(v.text).toString(), 'written-otherwise')
      return { seed: v.seed }
    },
    'signing-key': (v) => ({ kid: admit(octets(v.public)) }),
    'submission': (v) => {
      const story = JSON.parse(readFileSync(`${folder}/vectors/${v.story}.json`))
      return submission(contracts, story, v, octets)
    },
    'succession': (v) => succession(v, (value) => readRecord(contracts, 'directory-entry', octets(value))),
    'tick': ({ bus: name, partition, time }) => {
      const bytes = Buffer.from(bus.canonical({ bus: name, kind: 'tick', partition, time }))
      contracts.read('tick', bytes)
      return { bytes: told(bytes) }
    },
    'time': (v) => ({ ms: millis(v.text) }),
    'trust-root': (v) => void trustRoot(octets(v.value)) ?? {},
    'write': (v) => written(contracts, v),
  }
}
