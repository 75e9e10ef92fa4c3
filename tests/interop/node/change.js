// 15: a directory change, judged as the router does: by the trust root and the head before alone.

import { readDirectory, readRecord } from '../../../contracts/readers/js/directory.js'
import * as bus from '../../../contracts/readers/js/reader.js'
import { admit, admitSealing, octets, policy } from './kinds.js'

const { canonical, hash, b64, refuse, unb64 } = bus
const PROOF = 'referral-bus-directory-entry+jws'
const SERVICES = ['registrar', 'router', 'deadline-watcher', 'audit-log']

export function change(contracts, { trust_root: trust, before, value }) {
  const owners = new Map()
  const directory = [...before, value].reduce((state, one) => apply(contracts, trust, state, octets(one), owners), null)
  return { version: directory.signed.head.version, root: directory.signed.head.root }
}

function apply(contracts, trust, state, value, owners) {
  refuse(value.length > 655360, 'oversize')
  const told = readRecord(contracts, 'directory-change', value)
  for (const entry of told.data.agencies) readRecord(contracts, 'directory-entry', Buffer.from(canonical(entry)))
  if (told.data.policy) policy(contracts, Buffer.from(canonical(told.data.policy)))
  const signed = told.data.head
  const last = state?.signed.head
  refuse(last && canonical(signed.head) === canonical(last), 'duplicate')
  refuse(signed.head.version <= (last?.version ?? 0), 'directory-stale')
  const follows = signed.head.previous === (last && b64(hash(canonical(last))))
  refuse(signed.head.version !== (last?.version ?? 0) + 1 || !follows, 'directory-forked')
  refuse(told.bus !== trust.bus, 'wrong-bus')
  const entries = { ...state?.entries }
  for (const entry of told.data.agencies) {
    admitKeys(told.bus, entry, owners)
    checkGrants(entry)
    for (const { kid } of entry.keys) owners.set(kid, entry.id)
    refuseLoss(entry, entries[entry.id])
    entries[entry.id] = entry
  }
  const told_of = (policy) => (policy?.outages ?? []).map(canonical)
  const still = told_of(told.data.policy)
  refuse(told.data.policy && told_of(entries['@policy']).some((one) => !still.includes(one)), 'entry-vanished')
  if (told.data.policy) entries['@policy'] = told.data.policy
  const named = told.data.agencies.flatMap(({ successors, delivery }) => [...successors, ...(delivery.agency ? [delivery.agency] : [])])
  refuse(named.some((one) => !Object.hasOwn(entries, one)), 'unknown-recipient')
  const texts = Object.fromEntries(Object.entries(entries).map(([key, entry]) => [key, Buffer.from(canonical(entry))]))
  const found = [...readDirectory(contracts, trust, texts, Buffer.from(canonical(signed)), state?.signed ?? null, signed.head.issued).values()]
  refuse(SERVICES.some((role) => found.filter(({ roles }) => roles.includes(role)).length > 1), 'not-permitted')
  return { signed, entries }
}

function admitKeys(name, entry, owners) {
  const provers = new Map()
  for (const key of entry.keys.toSorted((one, other) => (one.use === 'seal') - (other.use === 'seal'))) {
    refuse((owners.get(key.kid) ?? entry.id) !== entry.id, 'repeated-key')
    const raw = unb64(key.public)
    const seals = key.use === 'seal'
    refuse(key.use === 'log' && !entry.roles.includes('audit-log'), 'not-permitted')
    refuse((seals ? admitSealing(raw) : admit(raw)) !== key.kid, 'malformed-key')
    if (key.use === 'event') provers.set(key.kid, raw)
    const by = bus.signedBy(Buffer.from(key.proof), PROOF)
    refuse(seals ? !provers.has(by) : by !== key.kid, 'missing-proof')
    const possession = { agency: entry.id, bus: name, desk: key.desk ?? null, kid: key.kid, use: key.use }
    bus.verify(seals ? provers.get(by) : raw, Buffer.from(key.proof), PROOF, canonical(possession))
  }
  refuse(new Set(entry.keys.map(({ kid }) => kid)).size !== entry.keys.length, 'repeated-key')
}

// What an auditor may read is bounded.
function checkGrants({ grants = [], roles }) {
  refuse(grants.length > 0 && !roles.includes('auditor'), 'not-permitted')
  refuse(new Set(grants.map(canonical)).size !== grants.length, 'not-permitted')
  for (const one of grants) {
    const yearAfter = String(Number(one.valid_from.slice(0, 4)) + 1).padStart(4, '0') + one.valid_from.slice(4)
    refuse(one.case !== undefined && one.province !== undefined, 'not-permitted')
    refuse(one.valid_until <= one.valid_from || one.valid_until > yearAfter, 'not-permitted')
  }
}

// What was signed with a key has to stay checkable.
function refuseLoss(entry, old) {
  for (const key of old?.keys ?? []) {
    const now = entry.keys.find(({ kid }) => kid === key.kid)
    refuse(now === undefined || now.desk !== key.desk || now.use !== key.use, 'entry-vanished')
    refuse(key.revoked_at && !(now.revoked_at <= key.revoked_at), 'entry-vanished')
    refuse(now.valid_from !== key.valid_from || now.valid_until < key.valid_until, 'entry-vanished')
  }
}
