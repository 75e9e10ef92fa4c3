// 1: the whole story. A directory by its trust root, and every record by the directory.

import { readDirectory } from '../../../contracts/readers/js/directory.js'
import * as bus from '../../../contracts/readers/js/reader.js'
import { pseudonym } from '../../../contracts/readers/js/write.js'

const { b64, canonical, hash, refuse, unb64 } = bus

// A leaf whose proof is not at hand (13).
export const readLeaf = (contracts, kind, value) => bus.trying('bad-decision', () => contracts.read(kind, value))

export function founded(contracts, told, octets) {
  const change = JSON.parse(octets(told.change.value))
  const entries = { '@policy': Buffer.from(canonical(change.data.policy)) }
  for (const entry of change.data.agencies) entries[entry.id] = Buffer.from(canonical(entry))
  return readDirectory(contracts, told.trust_root, entries, Buffer.from(canonical(change.data.head)), null, change.time)
}

export function life(contracts, told, octets) {
  const directory = founded(contracts, told, octets)
  for (const said of told.submissions) {
    const event = contracts.readEvent(octets(said.value))
    refuse(event.verb === 'case.opened' && event.subject !== pseudonym(event.bus, event.source, event.id), 'wrong-subject')
    event.data.sections.forEach((section, i) => {
      for (const { address } of section.readers) {
        const cek = bus.contentKey(section, bus.context(event, i), address, unb64(told.keys[address].sealing, 96))
        refuse(!bus.open(section, bus.context(event, i), cek).equals(octets(said.plaintexts[i])), 'malformed-section')
      }
    })
  }
  for (const record of told.records) check(contracts, directory, record, told.submissions, octets)
  return { records: told.records }
}

// 12, as far as a reader sees it: what the bus wrote of a submission is the router's, over its bytes, and says why.
export function submission(contracts, story, told, octets) {
  const directory = founded(contracts, story, octets)
  const value = told.submission.value && octets(told.submission.value)
  for (const record of told.records) check(contracts, directory, record, [told.submission], octets)
  const [decision, ...more] = told.records.flatMap((record) => {
    const headers = Object.fromEntries(record.headers.map(([name, header]) => [name, octets(header)]))
    if (headers.decision !== undefined) return [readLeaf(contracts, 'decision', headers.decision)]
    return headers.kind.toString() === 'verdict' ? [readLeaf(contracts, 'verdict', octets(record.value))] : []
  })
  const { offset, stamp } = told.submission
  refuse(decision.event !== b64(hash(value ?? '')) || decision.offset !== offset || decision.stamp !== stamp, 'bad-decision')
  refuse(more.some(({ code, event }) => code !== decision.code || event !== decision.event), 'bad-decision')
  refuse(decision.code !== 'accepted', decision.code)
  return {}
}

function check(contracts, directory, { topic, partition, value: spelled, headers: pairs }, submissions, octets) {
  const headers = Object.fromEntries(pairs.map(([name, value]) => [name, octets(value)]))
  const value = spelled && octets(spelled.submission === undefined ? spelled : submissions[spelled.submission].value)
  const kind = headers.kind?.toString()
  if (kind === undefined) return
  refuse(!['delivery', 'verdict', 'event'].includes(kind), 'unexpected-header')
  if (kind === 'delivery') contracts.readDelivery(directory, topic.replace('inbox.', ''), value, headers)
  if (kind === 'verdict') contracts.readLeaf(directory, 'verdict', value, headers.path, headers.root)
  if (kind !== 'event') return
  const leaf = contracts.readLeaf(directory, 'decision', headers.decision, headers.path, headers.root)
  refuse(partition !== leaf.partition || (value?.length && leaf.event !== b64(hash(value))), 'bad-decision')
}
