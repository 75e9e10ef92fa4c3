// Seals and opens with hpke-js, for a key of its own: HPKE with X-Wing, HKDF-SHA256 and AES-256-GCM (SPEC 7).
//
//   node hpke.js        writes its public key; then reads lines {"seal", "to", "info"} or {"open", "info"} and answers

import { createInterface } from 'node:readline'
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core'
import { XWing } from '@hpke/hybridkem-x-wing'

const ENC = 1120
const suite = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64url')).buffer
const say = (...data) => process.stdout.write(`${Buffer.concat(data.map((one) => Buffer.from(one))).toString('base64url')}\n`)

const { publicKey, privateKey } = await suite.kem.generateKeyPair()
say(await suite.kem.serializePublicKey(publicKey))
for await (const line of createInterface({ input: process.stdin })) {
  const told = JSON.parse(line)
  const info = bytes(told.info)
  if (told.seal !== undefined) {
    const recipientPublicKey = await suite.kem.deserializePublicKey(bytes(told.to))
    const sender = await suite.createSenderContext({ recipientPublicKey, info })
    say(sender.enc, await sender.seal(bytes(told.seal)))
  } else {
    const sealed = bytes(told.open)
    const recipient = await suite.createRecipientContext({ recipientKey: privateKey, enc: sealed.slice(0, ENC), info })
    say(await recipient.open(sealed.slice(ENC)))
  }
}
