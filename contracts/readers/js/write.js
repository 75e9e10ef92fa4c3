// Writes events of referral-bus; see reader.js.

import * as crypto from 'node:crypto'
import { aesSeal, bytes, hpkeSeal } from './hpke.js'
import { EVENT, b64, canonical, context, derive, hash, header, lp, padded, sealingKid, signingKid, trying, unb64 } from './reader.js'

// 7: a section for readers, public sealing keys by address.
export function seal(plaintext, readers, ctx) {
  const cek = crypto.randomBytes(32)
  const sealed = Object.entries(readers).map(([address, key]) => {
    const kid = sealingKid(key)
    return { address, enc: b64(trying('unsealable', () => hpkeSeal(cek, key, bytes(ctx, lp(address, kid))))), kid }
  })
  sealed.sort((one, other) => (one.kid < other.kid ? -1 : 1))
  const framed = lp(plaintext)
  const [keys, commit, bound] = derive(cek, ctx, sealed)
  const content = aesSeal(keys, bytes(framed, trying('oversize', () => Buffer.alloc(padded(framed.length) - framed.length))), bound)
  return { commit: b64(commit), content: b64(content), readers: sealed }
}

// 6: the signature of the key with that seed.
export function sign(seed, typ, payload) {
  const pkcs8 = bytes(Buffer.from('302e020100300506032b657004220420', 'hex'), seed)
  const key = crypto.createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const told = header(signingKid(unb64(crypto.createPublicKey(key).export({ format: 'jwk' }).x)), typ)
  return `${told}..${b64(crypto.sign(null, bytes(`${told}.`, payload), key))}`
}

// 4: the name of the case that an event opens.
export const pseudonym = (bus, source, id) => hash(lp('referral-bus/v1/case', bus, source, id)).toString('hex', 0, 16)

// 2: a fresh event id, a UUIDv7.
export function newId(now) {
  const random = crypto.randomBytes(10)
  random[0] = 0x70 | (random[0] & 0x0f)
  random[2] = 0x80 | (random[2] & 0x3f)
  return (now.toString(16).padStart(12, '0') + random.toString('hex')).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

// 3: an event, sealed and signed: the value of its record and the header `signature`. `event` has all members of the
// envelope but `datacontenttype`, `id`, `sections`, `specversion`, `time`, `type` and, on a `case.opened`, `subject`.
export function write(contracts, event, verb, parts, seed, now = Date.now()) {
  const id = newId(now)
  const whole = { subject: pseudonym(event.bus, event.source, id), ...event, id, datacontenttype: 'application/json', specversion: '1.0' }
  Object.assign(whole, { time: new Date(now).toISOString(), type: `vn.referral-bus.${verb}.v1` })
  const sections = parts.map(({ plaintext, readers }, i) => seal(plaintext, readers, context(whole, i)))
  const value = bytes(canonical({ ...whole, data: { ...event.data, sections } }))
  contracts.readEvent(value)
  return { value, signature: sign(seed, EVENT, value) }
}
