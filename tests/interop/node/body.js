// 8: a section's plaintext, and its form's schema as far as to tell which members it knows.

import { existsSync, readFileSync } from 'node:fs'
import { Refusal, refuse, trying } from '../../../contracts/readers/js/reader.js'

// 2: JSON that need not be canonical, as inside a section: no member twice, no number that is not an integer, not too deep.
export function readJSON(value) {
  const text = trying('malformed-json', () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value))
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*"|-?[0-9][-+.0-9eE]*|[[\]{}:,]/gs)
  const open = []
  let name = null
  for (const [token] of tokens) {
    if (token === ':') {
      refuse(open.at(-1)?.has(JSON.parse(name)), 'malformed-json')
      open.at(-1)?.add(JSON.parse(name))
    } else if (token === '{' || token === '[') refuse(open.push(new Set()) > 32, 'malformed-json')
    else if (token === '}' || token === ']') open.pop()
    else if (/^[-0-9]/.test(token)) refuse(!/^(?:0|-?[1-9][0-9]*)$/.test(token) || !Number.isSafeInteger(+token), 'malformed-json')
    else if (token !== ',') {
      name = token
      refuse(!trying('malformed-json', () => JSON.parse(token)).isWellFormed(), 'malformed-json')
    }
  }
  return trying('malformed-json', () => JSON.parse(text))
}

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value)

export function body(plaintext, folder) {
  const said = readJSON(plaintext)
  const framed = isObject(said) && Object.keys(said).sort().join() === 'body,schema'
  refuse(!framed || !isObject(said.body) || typeof said.schema !== 'string', 'malformed-section')
  const [, name, major] = /^([a-z][a-z0-9-]{0,62})\/([1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})$/.exec(said.schema) ?? []
  const file = `${folder}/schemas/${name}-${major}.json`
  refuse(name === undefined || !existsSync(file), 'unknown-schema')
  const schema = JSON.parse(readFileSync(file, 'utf8'))
  if (schema.properties.schema === undefined) throw new Refusal('unknown-schema')
  const form = schema.properties.body
  refuse(form.required.some((needed) => !Object.hasOwn(said.body, needed)), 'malformed-section')
  return { schema: said.schema, unknown: unknown(schema.$defs, form, said.body, '').sort() }
}

function unknown(defs, form, value, path) {
  if (form.$ref) return unknown(defs, defs[form.$ref.replace('#/$defs/', '')], value, path)
  const inner = form.anyOf?.find((one) => one.$ref || one.type === 'array')
  if (inner) return unknown(defs, inner, value, path)
  if (Array.isArray(value)) return value.flatMap((one, i) => unknown(defs, form.items ?? {}, one, `${path}${i}.`))
  if (!isObject(value) || !form.properties) return []
  return Object.entries(value).flatMap(([name, one]) =>
    Object.hasOwn(form.properties, name) ? unknown(defs, form.properties[name], one, `${path}${name}.`) : [path + name])
}
