// Parses an AsyncAPI document with AsyncAPI's own parser, and writes what it complains of.
//
//   node asyncapi.js FILE

import { createRequire } from 'node:module'

const { Parser, fromFile } = createRequire(import.meta.url)('@asyncapi/parser')

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse()
const channels = document?.channels().all().map((channel) => [channel.address(), channel.messages().all().map((one) => one.id()).sort()]) ?? []
const told = diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path: path.join('/') }))
process.stdout.write(JSON.stringify({ channels: Object.fromEntries(channels), diagnostics: told }))
