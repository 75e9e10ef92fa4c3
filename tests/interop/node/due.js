// Until when something is in time (21).

import * as bus from '../../../contracts/readers/js/reader.js'

const { b64, canonical, hash } = bus
const DAY = 86_400_000
const OFFSET = 25_200_000

const dayOf = (ms) => Math.floor((ms + OFFSET) / DAY)
const endOf = (day) => (day + 1) * DAY - OFFSET - 1
const iso = (day) => new Date(day * DAY).toISOString().slice(0, 10)
const number = (year, month, day) => Date.UTC(year, month, day) / DAY

// Moves an end by what was lost between the start and the end that comes out.
function shifted(start, end, lost) {
  let reached = start
  for (const [from, until] of lost.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (from >= end) break
    if (until <= Math.max(from, reached)) continue
    end += until - Math.max(from, reached)
    reached = until
  }
  return end
}

// The last day by one reading, in days.
function lastDay(start, { unit, amount }, works, { first_day: first, last_day: last }, stood) {
  const included = first === 'included' ? 1 : 0
  if (unit === 'working_days') {
    let day = start - included
    for (let left = amount; left > 0;) {
      day += 1
      if (works(day) && !stood.some(([from, until]) => from <= day && day < until)) left -= 1
    }
    return day
  }
  const at = new Date(start * DAY)
  const ends = {
    calendar_days: () => start + amount - included,
    months: () => {
      const month = at.getUTCMonth() + amount
      return Math.min(number(at.getUTCFullYear(), month, at.getUTCDate()), number(at.getUTCFullYear(), month + 1, 0)) - included
    },
    before_day: () => {
      const before = (year) => number(year, Math.floor(amount / 100) - 1, amount % 100) - 1
      const now = before(at.getUTCFullYear())
      return now >= start ? now : before(at.getUTCFullYear() + 1)
    },
  }
  let day = shifted(start, ends[unit]() + 1, stood) - 1
  while (last === 'rolls' && !works(day)) day += 1
  return day
}

export function due({ start: told, limit, counting, announced, days, paused, lost }) {
  const spans = (list) => list.map(([from, until]) => [Date.parse(from), Date.parse(until)])
  const start = Date.parse(told)
  const calendar = b64(hash(Buffer.from(canonical({ announced: announced.toSorted((a, b) => a - b), days }))))
  const out = (strict, lenient, provisional) => ({
    due_at: new Date(strict).toISOString(), late_after: new Date(lenient).toISOString(), provisional, calendar,
  })
  if (limit.unit === 'milliseconds') {
    const end = shifted(start, start + limit.amount, [...spans(paused), ...spans(lost)])
    return out(end, end, false)
  }
  const works = (strict) => (day) => {
    const word = days[iso(day)]
    if (word === 'doubtful') return strict
    return word === 'worked' || ((day + 3) % 7 <= 4 && word !== 'off')
  }
  const unread = counting.confidence === 'N'
  const whole = spans(paused).map(([from, until]) => [dayOf(from - 1) + 1, dayOf(until)])
  const touched = spans(paused).map(([from, until]) => [dayOf(from), dayOf(until - 1) + 1])
  const [early, late] = [{ first_day: 'included', last_day: 'stays' }, { first_day: 'excluded', last_day: 'rolls' }]
  const strict = lastDay(dayOf(start), limit, works(true), unread ? early : counting, whole)
  const lenient = lastDay(dayOf(start), limit, works(false), unread ? late : counting, touched)
  const from = limit.unit === 'working_days' ? dayOf(start) : strict
  const rests = limit.unit === 'working_days' || unread || counting.last_day === 'rolls'
  const years = [Number(iso(from).slice(0, 4)), Number(iso(lenient).slice(0, 4))]
  const known = Array.from({ length: years[1] - years[0] + 1 }, (_, n) => announced.includes(years[0] + n)).every(Boolean)
  return out(shifted(start, endOf(strict), spans(lost)), shifted(start, endOf(lenient), spans(lost)), rests && !known)
}

// The same of a clock whose starts were told one after the other.
export function dueTold({ starts, settle, ...given }) {
  const late = (start) => Date.parse(due({ ...given, start }).late_after)
  let [earliest, kept] = [undefined, undefined]
  for (const [start, admitted] of starts.toSorted(([, a], [, b]) => (a < b ? -1 : 1))) {
    if (start >= earliest) continue
    earliest = start
    if (kept === undefined) kept = late(start)
    else if (late(start) >= Date.parse(admitted) + settle) kept = Math.min(kept, late(start))
  }
  const after = new Date(Math.max(late(earliest), kept)).toISOString()
  return { due_at: due({ ...given, start: earliest }).due_at, late_after: after }
}

export function clockName({ bus: name, subject, rule, scope, cycle }) {
  const told = bus.lp('referral-bus clock v1', name, subject, rule, scope, String(cycle))
  return { clock: hash(told).subarray(0, 16).toString('hex') }
}
