// Holds values against the JSON Schemas of a folder, with ajv.
//
//   node schemas.js FOLDER <lines        each line [name of a schema, value]; writes true or false for each
//
// Strict: a keyword that is no JSON Schema is a mistake, but for the words that ours carry beside it.

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import Ajv from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

const [folder, ...words] = process.argv.slice(2)
const ajv = addFormats(new Ajv({ strict: true, strictTypes: false, allowUnionTypes: true }))
ajv.addVocabulary(words)
const compiled = new Map()

function validator(name) {
  if (!compiled.has(name)) compiled.set(name, ajv.compile(JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'))))
  return compiled.get(name)
}

for await (const line of createInterface({ input: process.stdin })) {
  const [name, value] = JSON.parse(line)
  process.stdout.write(`${validator(name)(value)}\n`)
}
