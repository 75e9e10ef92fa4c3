// What whoever runs the log or a witness needs besides, and whoever asks who has read a case.

import { b64, canonical, hash, refuse, signedBy, trying, unb64, verify } from '../../../contracts/readers/js/reader.js'
import { NOTHING, checkConsistency, hash64, openNote, readCheckpoint, readNote, readRecord, size, utf8 } from '../../../contracts/readers/js-log/log.js'

// c2sp.org/tlog-tiles: which tiles a growth writes.
const path = (n) => String(n).padStart(Math.ceil(String(n).length / 3) * 3, '0').replace(/\d{3}(?=\d)/g, 'x$&/')

export function tilesFor(old, total) {
  const found = []
  for (let level = 0; total > 0; level += 1, old = Math.floor(old / 256), total = Math.floor(total / 256)) {
    if (old === total) continue
    for (let n = Math.floor(old / 256); n < Math.floor(total / 256); n += 1) found.push(`tile/${level}/${path(n)}`)
    if (total % 256) found.push(`tile/${level}/${path(Math.floor(total / 256))}.p/${total % 256}`)
  }
  return found
}

// c2sp.org/tlog-witness: what is answered to a request for a cosignature, after the checkpoint that was cosigned last.
export function answerTo(body, key, last) {
  const answered = (status, what) => {
    try {
      return [what(), null]
    } catch {
      return [null, status]
    }
  }
  const [asked, malformed] = answered(400, () => {
    const end = body.indexOf('\n\n')
    refuse(body.length > 262144 + 4096 || end < 0, 'bad-proof')
    const [first, ...lines] = body.toString('utf8', 0, end).split('\n')
    refuse(!first.startsWith('old ') || lines.length > 63, 'bad-proof')
    const note = body.subarray(end + 2)
    const [old, proof] = [size(first.slice(4), 'bad-proof'), lines.map((one) => hash64(one, 'bad-proof'))]
    return { old, proof, note, found: readCheckpoint(readNote(note).text) }
  })
  if (malformed) return malformed
  const { old, proof, note, found } = asked
  if (found.origin !== key.name) return 404
  const [, forbidden] = answered(403, () => openNote(note, [key]))
  if (forbidden) return forbidden
  if (old > found.size) return 400
  if (old !== (last?.size ?? 0n)) return 409
  return answered(422, () => checkConsistency(old, last?.root ?? NOTHING, found.size, found.root, proof))[1] ?? 200
}

// What the log states about a read of a case.
const TIME = '[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z'
const HASH = '[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]'
const AGENCY = '"[a-z0-9-]{1,63}"'
const GRANT = `\\{(?:"case":"${HASH}",)?(?:"province":"[0-9]{2}",)?"purpose":"[a-z-]+","valid_from":"${TIME}","valid_until":"${TIME}"\\}`
const ACCESS = new RegExp(
  `^\\{"asked":"(?:bundle|reads|search|trail)","at":"${TIME}","bus":${AGENCY},"by":${AGENCY},"directory":(?:0|[1-9][0-9]{0,15}),` +
    `(?:"grant":${GRANT},)?"kind":"audit\\.accessed","request":"${HASH}"(?:,"subject":"[0-9a-f]{32}")?\\}$`,
)

export function readAccess(record, bus, key) {
  const { signatures = [], value } = readRecord(record)
  const text = utf8(value, 'malformed-json')
  const found = trying('malformed-json', () => JSON.parse(text))
  refuse(canonical(found) !== text, 'not-canonical')
  refuse(!ACCESS.test(text), 'malformed-envelope')
  refuse(found.bus !== bus, 'wrong-bus')
  const { asked, at, grant, subject } = found
  refuse(subject === undefined && asked !== 'search', 'malformed-record')
  refuse(grant === undefined && asked !== 'reads', 'not-permitted')
  refuse(grant !== undefined && !(grant.valid_from <= at && at < grant.valid_until), 'not-permitted')
  const mine = subject === undefined ? undefined : b64(hash(Buffer.from(`referral-bus-grant/v1\n${subject}`)))
  refuse(grant?.case !== undefined && mine !== undefined && grant.case !== mine, 'not-permitted')
  const typ = 'referral-bus-log-statement+jws'
  signatures.forEach((one, i) => {
    refuse(signedBy(one, typ) !== key.kid, 'unknown-key')
    refuse(i > 0, 'repeated-key')
    verify(unb64(key.public, 32), one, typ, value)
  })
  refuse(signatures.length === 0, 'not-enough-signatures')
  refuse(!(key.valid_from <= at && at < key.valid_until), 'key-not-valid')
  return found
}
