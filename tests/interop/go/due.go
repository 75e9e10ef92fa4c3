package main

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	bus "referral-bus/reader"
)

// Until when something is in time (21).

const dayMs, offsetMs = 86_400_000, 25_200_000

type span struct{ from, until int }

type reading struct {
	included, rolls bool
	works           func(day int) bool
	stood           []span
}

func dayOf(ms int) int         { return floorDiv(ms+offsetMs, dayMs) }
func endOf(day int) int        { return (day+1)*dayMs - offsetMs - 1 }
func dateOf(day int) time.Time { return time.Unix(int64(day)*86_400, 0).UTC() }
func numberOf(year, month, day int) int {
	return floorDiv(int(time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix()), 86_400)
}

func floorDiv(a, b int) int {
	if a%b < 0 {
		return a/b - 1
	}
	return a / b
}

func isoTime(ms int) string {
	return time.UnixMilli(int64(ms)).UTC().Format("2006-01-02T15:04:05.000Z")
}

// shifted moves an end by what was lost between the start and the end that comes out.
func shifted(start, end int, lost []span) int {
	sorted := slices.Clone(lost)
	slices.SortFunc(sorted, func(a, b span) int { return cmp.Or(a.from-b.from, a.until-b.until) })
	reached := start
	for _, one := range sorted {
		if one.from >= end {
			break
		}
		if one.until > max(one.from, reached) {
			end += one.until - max(one.from, reached)
			reached = one.until
		}
	}
	return end
}

func (r reading) lastDay(start int, unit string, amount int) int {
	first := 0
	if r.included {
		first = 1
	}
	day, at := start, dateOf(start)
	switch unit {
	case "working_days":
		day -= first
		for amount > 0 {
			day++
			still := slices.ContainsFunc(r.stood, func(one span) bool { return one.from <= day && day < one.until })
			if r.works(day) && !still {
				amount--
			}
		}
		return day
	case "calendar_days":
		day += amount - first
	case "months":
		month := int(at.Month()) + amount
		day = min(numberOf(at.Year(), month, at.Day()), numberOf(at.Year(), month+1, 0)) - first
	case "before_day":
		day = numberOf(at.Year(), amount/100, amount%100) - 1
		if day < start {
			day = numberOf(at.Year()+1, amount/100, amount%100) - 1
		}
	}
	day = shifted(start, day+1, r.stood) - 1
	for r.rolls && !r.works(day) {
		day++
	}
	return day
}

func due(v object) object {
	spans := func(name string) (found []span) {
		for _, one := range bus.List(v, name) {
			found = append(found, span{int(millis(one.([]any)[0].(string))), int(millis(one.([]any)[1].(string)))})
		}
		return found
	}
	days, announced := v["days"].(object), v["announced"].([]any)
	calendar := bus.B64(bus.Hash(canonical(object{"announced": announced, "days": days})))
	out := func(strict, lenient int, provisional bool) object {
		return object{"due_at": isoTime(strict), "late_after": isoTime(lenient), "provisional": provisional, "calendar": calendar}
	}
	start, unit, amount := int(millis(bus.Text(v, "start"))), bus.Text(v, "limit", "unit"), count(bus.Get(v, "limit", "amount"))
	paused, lost := spans("paused"), spans("lost")
	if unit == "milliseconds" {
		end := shifted(start, start+amount, append(paused, lost...))
		return out(end, end, false)
	}
	works := func(strict bool) func(int) bool {
		return func(day int) bool {
			switch word := days[dateOf(day).Format("2006-01-02")]; word {
			case "doubtful":
				return strict
			default:
				return word == "worked" || (word != "off" && (day+3)%7 <= 4)
			}
		}
	}
	unread := bus.Text(v, "counting", "confidence") == "N"
	included := bus.Text(v, "counting", "first_day") == "included"
	rolls := bus.Text(v, "counting", "last_day") == "rolls"
	early := reading{included: included || unread, rolls: rolls && !unread, works: works(true)}
	late := reading{included: included && !unread, rolls: rolls || unread, works: works(false)}
	for _, one := range paused {
		early.stood = append(early.stood, span{dayOf(one.from-1) + 1, dayOf(one.until)})
		late.stood = append(late.stood, span{dayOf(one.from), dayOf(one.until-1) + 1})
	}
	strict, lenient := early.lastDay(dayOf(start), unit, amount), late.lastDay(dayOf(start), unit, amount)
	from := strict
	if unit == "working_days" {
		from = dayOf(start)
	}
	known := true
	for year := dateOf(from).Year(); year <= dateOf(lenient).Year(); year++ {
		known = known && slices.ContainsFunc(announced, func(one any) bool { return count(one) == year })
	}
	rests := unit == "working_days" || unread || rolls
	return out(shifted(start, endOf(strict), lost), shifted(start, endOf(lenient), lost), rests && !known)
}

// dueTold is the same of a clock whose starts were told one after the other.
func dueTold(v object) object {
	starts := slices.Clone(bus.List(v, "starts"))
	slices.SortFunc(starts, func(a, b any) int { return strings.Compare(a.([]any)[1].(string), b.([]any)[1].(string)) })
	from := func(start string) (out object, late int) {
		given := maps.Clone(v)
		given["start"] = start
		out = due(given)
		return out, int(millis(bus.Text(out, "late_after")))
	}
	earliest, kept := "", 0
	for _, one := range starts {
		start, told := one.([]any)[0].(string), int(millis(one.([]any)[1].(string)))
		if earliest != "" && start >= earliest {
			continue
		}
		earliest = start
		if _, late := from(start); kept == 0 {
			kept = late
		} else if late >= told+count(v["settle"]) {
			kept = min(kept, late)
		}
	}
	out, late := from(earliest)
	return object{"due_at": out["due_at"], "late_after": isoTime(max(late, kept))}
}

func count(v any) int { return int(v.(float64)) }

func clockName(v object) object {
	name := bus.LP("referral-bus clock v1", bus.Text(v, "bus"), bus.Text(v, "subject"), bus.Text(v, "rule"), bus.Text(v, "scope"), fmt.Sprint(count(v["cycle"])))
	return object{"clock": hex.EncodeToString([]byte(bus.Hash(name))[:16])}
}
