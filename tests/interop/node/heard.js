// What a receiver makes of what it was sent (8, 9, 14), and who speaks for an agency that has ended (15).

import * as crypto from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as bus from '../../../contracts/readers/js/reader.js'
import { millis } from './kinds.js'
import { founded, readLeaf } from './life.js'

const { b64, canonical, hash, refuse, unb64 } = bus

// 8: whose word it claims to be, where that is nobody's own.
export function claim({ body: { actor, happened = {} } }, source) {
  if ([undefined, source].includes(actor.acting_for)) return null
  const { channel, person, paper_number: paper } = happened
  return JSON.parse(JSON.stringify({ agency: actor.acting_for, by: source, channel, person, paper_number: paper }))
}

// 8: what the watcher is told of linked cases.
export function clockLinks({ body: { actor, relation, others = [] } }) {
  const links = [...new Set(others)].map((other) => ({ other, ...(relation && { relation }) }))
  const told = { actor: { role: 'system', ...(actor.acting_for && { acting_for: actor.acting_for }) }, triggers: 'none' }
  return canonical({ body: { ...told, ...(links.length > 0 && { links }) }, schema: 'clock/1.0' })
}

// 8: what the watcher is told, against what the forms say.
export function clockCompared({ told, derived, whole }) {
  const name = ({ trigger, whose, occurred_at: at, ...rest }) => {
    refuse(!/^[a-z][a-z0-9-]{0,63}$/.test(trigger) || !/^[a-z0-9-]{1,63}(\/[a-z0-9-]{1,63})?$/.test(whose), 'malformed-section')
    if (at !== undefined) millis(at)
    return whole ? canonical({ trigger, whose, at: at ?? '', ...rest }) : `${trigger} ${whose}`
  }
  refuse(typeof whole !== 'boolean', 'malformed-value')
  const [heard, known] = [told.map(name), derived.map(name)]
  const apart = [...known.filter((one) => !heard.includes(one)), ...heard.filter((one) => whole && !known.includes(one))]
  refuse(apart.length > 0, 'clock-differs')
  return {}
}

// 8: what a person is told of how certain a form is.
export function certainty({ schema: asked }, folder) {
  const [, name, major] = /^([a-z0-9-]+)\/([0-9]+)\./.exec(asked) ?? []
  const schema = bus.trying('unknown-schema', () => JSON.parse(readFileSync(`${folder}/schemas/${name}-${major}.json`)))
  refuse(schema.title !== asked, 'unknown-schema')
  const fields = Object.entries(schema.properties.body.properties)
  const provisional = fields.filter(([, form]) => form.provisional).map(([field]) => field).sort()
  return { status: schema.schema_status, basis: schema.basis.map(({ place, confidence }) => [place, confidence]), provisional }
}

// 8: a document, by its reference.
export function document({ key, sha256, size }, stored) {
  refuse(sha256 === undefined, 'incomplete-input')
  let found = stored
  if (key !== undefined) {
    refuse(stored.length < 28, 'wrong-document')
    const cipher = bus.trying('wrong-document', () => crypto.createDecipheriv('aes-256-gcm', unb64(key, 32), stored.subarray(0, 12), { authTagLength: 16 }))
    cipher.setAuthTag(stored.subarray(-16))
    found = bus.trying('wrong-document', () => Buffer.concat([cipher.update(stored.subarray(12, -16)), cipher.final()]))
  }
  refuse(b64(hash(found)) !== sha256 || (size ?? found.length) !== found.length, 'wrong-document')
  return found
}

// 9: what a correction is to who holds these events.
export function corrects(held, contracts, value) {
  const { source, subject, data: { handoff, supersedes } } = contracts.readEvent(value)
  const found = held.filter((one) => b64(hash(one)) === supersedes.sha256).map((one) => contracts.readEvent(one))
  const fits = (wrong) =>
    wrong.source === source && wrong.subject === subject && wrong.id === supersedes.id && !wrong.verb.endsWith('.corrected') &&
    (handoff === undefined ? wrong.verb.startsWith('case.') : wrong.id === handoff.opening || canonical(wrong.data.handoff ?? null) === canonical(handoff))
  if (found.length === 0) return 'not-held'
  return found.some(fits) ? 'held' : 'elsewhere'
}

// 14: deliveries to one address, in their order; gives the events that were not there.
export function inbox(contracts, story, { address, records }, octets) {
  const directory = founded(contracts, story, octets)
  const taken = new Map()
  const counts = new Map()
  for (const told of records) {
    const { headers: pairs, value: spelled } = told.record === undefined ? told : (story.records[told.record] ?? {})
    refuse(spelled === undefined, 'malformed-value')
    const headers = Object.fromEntries(pairs.map(([name, header]) => [name, octets(header)]))
    const value = octets(spelled.submission === undefined ? spelled : story.submissions[spelled.submission].value)
    const event = contracts.readDelivery(directory, address, value, headers)
    const name = b64(hash(value))
    if (taken.has(name)) continue
    const { counter, restored = 0 } = readLeaf(contracts, 'delivery', headers.delivery)
    const last = counts.get(event.subject) ?? { counter: 0, restored: 0 }
    refuse(restored < last.restored || counter !== (restored === last.restored ? last.counter + 1 : 1), 'counter-gap')
    counts.set(event.subject, { counter, restored })
    const under = [...taken.values()].filter(({ id, source }) => id === event.id && source === event.source)
    if (under.some((one) => canonical({ ...one, time: event.time }) === canonical(event))) continue
    refuse(under.length > 0, 'id-reused')
    taken.set(name, event)
  }
  return [...taken.keys()]
}

// 15: who speaks for an agency, where what is meant for an address goes, and who may take over what an agency has.
export function succession({ entries: told, address, at }, read) {
  const entries = new Map(Object.entries(told).map(([id, value]) => [id, read(value)]))
  const [agency, desk] = address.split('/')
  const seen = new Set()
  let speaker = agency
  while (at >= (entries.get(speaker)?.ends_at ?? 'Z')) {
    seen.add(speaker)
    speaker = entries.get(speaker).successors[0]
    if (speaker === undefined || seen.has(speaker)) speaker = null
  }
  const entry = entries.get(speaker)
  const same = entry?.desks.includes(desk) ? `${speaker}/${desk}` : speaker
  const takers = new Set()
  for (let left = [agency]; left.length > 0; ) {
    for (const one of entries.get(left.pop())?.successors ?? []) if (!takers.has(one)) left.push(takers.add(one) && one)
  }
  takers.delete(agency)
  return { speaker, reached: entry?.delivery.kind === 'bus' ? same : null, takers: [...takers].sort() }
}
