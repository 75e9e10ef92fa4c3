// Reads events of referral-bus in Node, for an agency to start from; write.js writes them, directory.js has who may. It was made
// from ../../SPEC.md, whose sections the numbers in comments are. Bytes are Buffers. What is refused throws a Refusal: its message is a code (12).

import * as crypto from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { aesOpen, bytes, expand, hpkeOpen, publicOf } from './hpke.js'

export class Refusal extends Error {}

export function refuse(fault, code) {
  if (fault) throw new Refusal(code)
}

export function trying(code, what) { // Whatever is thrown is one refusal.
  try {
    return what()
  } catch {
    throw new Refusal(code)
  }
}

// 2: one spelling.
export const hash = (...parts) => crypto.createHash('sha256').update(bytes(...parts)).digest()
export const b64 = (data) => Buffer.from(data).toString('base64url')

export function unb64(text, size = null, code = 'malformed-value') {
  const data = Buffer.from(String(text), 'base64url')
  refuse(b64(data) !== text || (size !== null && data.length !== size), code)
  return data
}

const u32 = (size) => [24, 16, 8, 0].map((bits) => (size >>> bits) & 255)
export const lp = (...parts) => bytes(...parts.flatMap((part) => [u32(Buffer.byteLength(part)), part]))

export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`
}

// What agencies agree on, as data: verbs (9), and the grammars of everything that is canonical JSON (2).
export class Contracts {
  constructor(folder) {
    const read = (file) => JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'))
    this.lifecycle = read('lifecycle.json')
    this.grammars = Object.fromEntries(Object.entries(read('grammars.json')).map(([name, one]) => [name, new RegExp(one, 'u')]))
  }

  read(grammar, value) {
    const text = trying('malformed-json', () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value))
    const found = trying('malformed-json', () => JSON.parse(text))
    if (this.grammars[grammar].test(text)) return found
    throw new Refusal(trying('malformed-json', () => canonical(found)) === text ? 'malformed-envelope' : 'not-canonical')
  }

  // 3: an envelope. Its verb stands beside its members.
  readEvent(value) {
    refuse(value.length > 262144, 'oversize')
    const event = this.read('envelope', value)
    refuse(event.data.recipients.length > 32 || event.data.sections.length > 16, 'malformed-envelope')
    for (const { content, readers } of event.data.sections) {
      const size = Math.floor((content.length * 3) / 4) - 16
      const wrong = ({ enc, kid }, i) => enc.length !== 1558 || i >= 32 || (i > 0 && readers[i - 1].kid >= kid)
      refuse(content.length % 4 === 1 || size !== padded(size) || readers.some(wrong), 'malformed-envelope')
    }
    const [, verb, version] = /^vn\.referral-bus\.(.+)\.v([0-9]+)$/.exec(event.type) ?? []
    refuse(!Object.hasOwn(this.lifecycle.verbs, String(verb)), 'unknown-type')
    refuse(version !== '1', 'unknown-version')
    return { ...event, verb }
  }

  // 13: a decision, a delivery or a verdict, that the directory's router signed.
  readLeaf(directory, kind, value, path, root) {
    const leaf = trying('bad-decision', () => this.read(kind, value))
    const key = eventKey(directory, service(directory, 'router'), signedBy(root, DECISION), leaf.admitted)
    checkProof(key, value, path, root, leaf.bus, leaf.partition)
    return leaf
  }

  // 14: a record of the inbox of `address`, by its headers; gives the event, checked.
  readDelivery(directory, address, value, headers) {
    const names = Object.keys(headers).sort().join()
    refuse(names !== 'delivery,kind,path,root,signature' || headers.kind.toString() !== 'delivery', 'unexpected-header')
    const leaf = this.readLeaf(directory, 'delivery', headers.delivery, headers.path, headers.root)
    refuse(leaf.recipient !== address || leaf.event !== b64(hash(value)), 'bad-decision')
    const event = this.readEvent(value)
    refuse(event.bus !== leaf.bus || event.subject !== leaf.subject || !event.data.recipients.includes(address), 'bad-decision')
    verify(eventKey(directory, event.source, signedBy(headers.signature, EVENT), leaf.admitted), headers.signature, EVENT, value)
    refuse(event.verb.startsWith('deadline.') && event.source !== service(directory, 'deadline-watcher'), 'wrong-party')
    return event
  }
}

// 5: keys.
const PRIME = 2n ** 255n - 19n
const SMALL = [0n, 1n, 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n]
const number = (littleEndian) => BigInt(`0x${Buffer.from(littleEndian).reverse().toString('hex')}`)

export function signingKid(key) {
  refuse(key.length !== 32, 'malformed-key')
  const y = number(key) & (2n ** 255n - 1n)
  refuse(y >= PRIME, 'malformed-key')
  refuse(SMALL.includes(y) || SMALL.includes(PRIME - y), 'weak-key')
  return b64(hash(`{"crv":"Ed25519","kty":"OKP","x":"${b64(key)}"}`))
}

export function sealingKid(key) {
  refuse(key.length !== 1216 || number(key.subarray(1184)) >= PRIME, 'malformed-key')
  trying('malformed-key', () => ml_kem768.encapsulate(key.subarray(0, 1184)))
  return b64(hash(`{"alg":"X-Wing","kty":"AKP","pub":"${b64(key)}"}`))
}

// 6: signatures. The header is compared, never parsed.
export const EVENT = 'referral-bus-event+jws'
const DECISION = 'referral-bus-decision+jws'
export const header = (kid, typ) => b64(`{"alg":"Ed25519","b64":false,"crit":["b64"],"kid":"${kid}","typ":"${typ}"}`)

function parsed(text, typ) {
  const [told, signature, ...more] = text.toString('latin1').split('..')
  const [, kid] = /"kid":"([^"]*)"/.exec(unb64(told, null, 'malformed-signature').toString()) ?? []
  refuse(more.length > 0 || told !== header(b64(unb64(kid, 32, 'malformed-signature')), typ), 'malformed-signature')
  return [kid, `${told}.`, unb64(signature, 64, 'malformed-signature')]
}

export const signedBy = (text, typ) => parsed(text, typ)[0]

export function verify(key, text, typ, payload) {
  const [kid, told, signature] = parsed(text, typ)
  refuse(kid !== signingKid(key), 'bad-signature')
  const loaded = crypto.createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: b64(key) }, format: 'jwk' })
  refuse(!crypto.verify(null, bytes(told, payload), loaded, signature), 'bad-signature')
}

// 13: what the router states.
export const half = (size) => 2 ** Math.floor(Math.log2(size - 1))

export function rootOf(leaf, index, size, path) {
  refuse(leaf.length !== 32 || index < 0 || index >= size || path.length % 32 !== 0 || (size === 1) !== (path.length === 0), 'bad-decision')
  if (size === 1) return leaf
  const [left, rest, sibling] = [half(size), path.subarray(0, -32), path.subarray(-32)]
  if (index < left) return hash('\x01', rootOf(leaf, index, left, rest), sibling)
  return hash('\x01', sibling, rootOf(leaf, index - left, size - left, rest))
}

export function checkProof(key, leaf, path, root, bus, partition) {
  refuse(path.length < 8, 'bad-decision')
  const size = path.readUInt32BE(4)
  const found = b64(rootOf(hash('\0', leaf), path.readUInt32BE(0), size, path.subarray(8)))
  trying('bad-decision', () => verify(key, root, DECISION, canonical({ bus, partition, root: found, size })))
}

const service = (directory, role) => [...directory.values()].find(({ roles }) => roles.includes(role))?.id

// 15: a key is valid from its beginning until before its end.
export function eventKey(directory, agency, kid, at) {
  refuse(!directory.has(agency), 'unknown-sender')
  const key = directory.get(agency).keys.find((one) => one.kid === kid && one.use === 'event')
  refuse(key === undefined, 'unknown-key')
  refuse(at < key.valid_from || at >= key.valid_until || at >= (key.revoked_at ?? 'Z'), 'key-not-valid')
  return unb64(key.public, 32, 'malformed-key')
}

// 7: sealed sections.
export function context({ bus, data: { handoff }, id, source, subject }, i) {
  const place = handoff ? `${handoff.opening} ${handoff.recipient}` : id
  return lp('referral-bus/section', '1', bus, id, source, subject, place, `s${i}`)
}

// The size that so many bytes are padded to.
export const padded = (size) => [1, 2, 4, 8, 16, 32, 64, 128].map((kib) => kib * 1024).find((one) => size <= one)

// Steps 1 and 2, with a private key. The event MUST have been checked.
export function contentKey({ readers }, ctx, address, secret) {
  refuse(secret.length !== 96, 'malformed-key')
  const kid = sealingKid(publicOf(secret))
  const reader = readers.find((one) => one.address === address && one.kid === kid)
  refuse(reader === undefined, 'not-a-reader')
  const enc = unb64(reader.enc, 1168, 'malformed-section')
  return trying('wrong-commitment', () => hpkeOpen(enc, secret, bytes(ctx, lp(address, kid))))
}

// What a content key makes: key and nonce, commitment, and what the content is bound to.
export function derive(cek, ctx, readers) {
  refuse(cek.length !== 32, 'wrong-commitment')
  const out = expand(cek, ctx, 76)
  return [[out.subarray(0, 32), out.subarray(32, 44)], out.subarray(44), bytes(ctx, hash(lp(...readers.map(({ kid }) => kid))))]
}

// Steps 3 to 5: what a section said, by its content key, opened or disclosed.
export function open(section, ctx, cek) {
  const [keys, commit, bound] = derive(cek, ctx, section.readers)
  const told = unb64(section.commit, null, 'malformed-section')
  refuse(told.length !== 32 || !crypto.timingSafeEqual(commit, told), 'wrong-commitment')
  const sealed = unb64(section.content, null, 'malformed-section')
  const content = trying('wrong-commitment', () => aesOpen(keys, sealed, bound))
  const end = content.length < 1024 ? 0 : 4 + content.readUInt32BE(0)
  refuse(end === 0 || padded(end) !== content.length || content.subarray(end).some((one) => one !== 0), 'malformed-section')
  return content.subarray(4, end)
}
