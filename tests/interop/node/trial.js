// Tries the reader in JavaScript on vectors, one to a line, and writes what came of each; or writes an event.
//
//   node trial.js CONTRACTS <vectors        {"came": {…}} or {"code": "…"} for each line

import { createInterface } from 'node:readline'
import { Contracts, Refusal } from '../../../contracts/readers/js/reader.js'
import { kindsOf, millis, octets } from './kinds.js'
import { logKinds } from './log.js'

const [folder] = process.argv.slice(2)
const kinds = { ...kindsOf(new Contracts(folder), folder), ...logKinds(octets, millis) }

function tried(vector) {
  if (!Object.hasOwn(kinds, vector.kind)) return { code: 'no-such-kind' }
  try {
    return { came: kinds[vector.kind](vector) }
  } catch (error) {
    if (error instanceof Refusal) return { code: error.message }
    throw error
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(tried(JSON.parse(line)))}\n`)
}
