// 1: the whole story. A directory by its trust root, and every record by the directory.

import * as bus from '../../../contracts/readers/js/reader.js'
import { pseudonym } from '../../../contracts/readers/js/write.js'

const { b64, canonical, hash, refuse, unb64 } = bus

export function life(contracts, told, octets) {
  const change = JSON.parse(octets(told.change.value))
  const entries = { '@policy': Buffer.from(canonical(change.data.policy)) }
  for (const entry of change.data.agencies) entries[entry.id] = Buffer.from(canonical(entry))
  const directory = contracts.readDirectory(told.trust_root, entries, Buffer.from(canonical(change.data.head)))
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

function check(contracts, directory, { topic, partition, value: spelled, headers: pairs }, submissions, octets) {
  const headers = Object.fromEntries(pairs.map(([name, value]) => [name, octets(value)]))
  const value = spelled && octets(spelled.submission === undefined ? spelled : submissions[spelled.submission].value)
  const kind = headers.kind?.toString()
  if (kind === undefined) return
  refuse(!['delivery', 'verdict', 'event'].includes(kind), 'unexpected-header')
  if (kind === 'delivery') contracts.readDelivery(directory, topic.replace('inbox.', ''), value, headers)
  if (kind === 'verdict') bus.checkLeaf(directory, contracts.readLeaf('verdict', value), value, headers.path, headers.root)
  if (kind !== 'event') return
  const leaf = contracts.readLeaf('decision', headers.decision)
  refuse(partition !== leaf.partition || (value && leaf.event !== b64(hash(value))), 'bad-decision')
  bus.checkLeaf(directory, leaf, headers.decision, headers.path, headers.root)
}
