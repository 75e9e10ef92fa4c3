// 12 and 17: whether a case has room for one event more.

import { refuse } from '../../../contracts/readers/js/reader.js'

export function room({ verbs }, { speaker, verb, recipient, ids, handoffs, addresses }) {
  const inside = ['owner', 'party'].includes(speaker)
  refuse(!inside && !['watcher', 'stranger'].includes(speaker), 'malformed-value')
  refuse(!Object.hasOwn(verbs, verb) || !['known', 'chosen', 'new'].includes(recipient), 'malformed-value')
  refuse((inside && ids.own > ids.all) || handoffs.own > handoffs.all, 'malformed-value')
  refuse(addresses.own + (recipient === 'known') > addresses.all, 'malformed-value')
  const full = (held, most) => refuse(held >= most, 'too-many')
  if (speaker === 'stranger') ids.own > 0 ? full(ids.own, 32) : full(ids.cases, 4096)
  if (speaker === 'watcher') full(ids.own, 128)
  if (!inside) return {}
  const receipt = ['handoff.received', 'handoff.unreadable'].includes(verb)
  full(ids.own, receipt ? 64 : 128)
  full(ids.all, 1024)
  if (receipt) return {}
  if (verb.startsWith('handoff.')) {
    full(handoffs.own, 128)
    full(handoffs.all, 512)
  }
  if (speaker !== 'owner') full(addresses.own, recipient === 'chosen' ? 65 : 64)
  if (recipient === 'new') full(addresses.all, speaker === 'owner' ? 512 : 256)
  return {}
}
