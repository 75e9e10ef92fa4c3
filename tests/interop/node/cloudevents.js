// Reads values as CloudEvents, with the package of the CloudEvents project.
//
//   node cloudevents.js <values        each line a value; writes for each line what the package made of it

import { createInterface } from 'node:readline'
import { HTTP } from 'cloudevents'

for await (const body of createInterface({ input: process.stdin })) {
  const event = HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json' }, body })
  event.validate()
  process.stdout.write(`${JSON.stringify(event)}\n`)
}
