// HPKE (RFC 9180), base mode, single shot, in the one suite of SPEC 7: X-Wing, HKDF-SHA256, AES-256-GCM.

import * as crypto from 'node:crypto'
import { x25519 } from '@noble/curves/ed25519.js'
import { _ecdhKem, combineKEMS } from '@noble/post-quantum/hybrid.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'

export const bytes = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)))
const hmac = (key, data) => crypto.createHmac('sha256', key).update(data).digest()

// X-Wing with its two private keys side by side, not expanded from one seed: ML-KEM's (64), then X25519's (32).
const combine = (keys, sealed, secrets) => crypto.createHash('sha3-256').update(bytes(...secrets, sealed[1], keys[1], '\\.//^\\')).digest()
const XWING = combineKEMS(96, 32, (seed) => seed, combine, ml_kem768, _ecdhKem(x25519))

export const publicOf = (secret) => Buffer.from(XWING.getPublicKey(secret))

// HKDF-Expand (RFC 5869).
export function expand(key, info, size) {
  const blocks = [Buffer.alloc(0)]
  while (blocks.length * 32 < size + 32) blocks.push(hmac(key, bytes(blocks.at(-1), info, [blocks.length])))
  return Buffer.concat(blocks).subarray(0, size)
}

// AES-256-GCM, with the tag at the end.
export function aesSeal([key, nonce], plaintext, bound = '') {
  const cipher = crypto.createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(bound))
  return bytes(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

export function aesOpen([key, nonce], sealed, bound = '') {
  const cipher = crypto.createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 }).setAAD(Buffer.from(bound))
  return bytes(cipher.setAuthTag(sealed.subarray(-16)).update(sealed.subarray(0, -16)), cipher.final())
}

// RFC 9180 section 5.1: the key and the nonce of the one message.
function schedule(shared, info) {
  const suite = bytes('HPKE-v1HPKE', [0x64, 0x7a, 0, 1, 0, 2])
  const extract = (salt, label, data) => hmac(salt, bytes(suite, label, data))
  const context = bytes([0], extract('', 'psk_id_hash', ''), extract('', 'info_hash', info))
  const secret = extract(shared, 'secret', '')
  return [['key', 32], ['base_nonce', 12]].map(([label, size]) => expand(secret, bytes([0, size], suite, label, context), size))
}

export function hpkeSeal(plaintext, key, info) {
  const { cipherText, sharedSecret } = XWING.encapsulate(key)
  return bytes(cipherText, aesSeal(schedule(sharedSecret, info), plaintext))
}

export const hpkeOpen = (enc, secret, info) =>
  aesOpen(schedule(XWING.decapsulate(enc.subarray(0, 1120), secret), info), enc.subarray(1120))
