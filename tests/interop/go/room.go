package main

import (
	"slices"
	"strings"

	bus "referral-bus/reader"
)

// room tells whether a case has room for one event more (12, 17).
func room(lifecycle any, v object) object {
	speaker, verb, recipient := bus.Text(v, "speaker"), bus.Text(v, "verb"), bus.Text(v, "recipient")
	number := func(what, whose string) int { return count(bus.Get(v, what, whose)) }
	inside, owner := speaker == "owner" || speaker == "party", speaker == "owner"
	used, own, reached := number("ids", "own"), number("handoffs", "own"), number("addresses", "own")
	known := reached
	if recipient == "known" {
		known++
	}
	refuse(!inside && speaker != "watcher" && speaker != "stranger", "malformed-value")
	refuse(bus.Get(lifecycle, "verbs", verb) == nil || !slices.Contains([]string{"known", "chosen", "new"}, recipient), "malformed-value")
	refuse(inside && used > number("ids", "all") || own > number("handoffs", "all") || known > number("addresses", "all"), "malformed-value")
	full := func(held, most int) { refuse(held >= most, "too-many") }
	switch {
	case speaker == "watcher":
		full(used, 128)
		return object{}
	case speaker == "stranger" && used > 0:
		full(used, 32)
		return object{}
	case speaker == "stranger":
		full(number("ids", "cases"), 4096)
		return object{}
	case verb == "handoff.received" || verb == "handoff.unreadable":
		full(used, 64)
		full(number("ids", "all"), 1024)
		return object{}
	}
	full(used, 128)
	full(number("ids", "all"), 1024)
	if strings.HasPrefix(verb, "handoff.") {
		full(own, 128)
		full(number("handoffs", "all"), 512)
	}
	if !owner && recipient == "chosen" {
		full(reached, 65)
	} else if !owner {
		full(reached, 64)
	}
	if most := 256; recipient == "new" && owner {
		full(number("addresses", "all"), 2*most)
	} else if recipient == "new" {
		full(number("addresses", "all"), most)
	}
	return object{}
}
