package main

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	bus "referral-bus/reader"
)

// What a receiver makes of what it was sent (8, 9, 14), and who speaks for an agency that has ended (15).

// claim is whose word a body claims to be, where that is nobody's own (8).
func claim(plaintext, source string) any {
	told := anyJSON(plaintext)
	agency := bus.Text(told, "body", "actor", "acting_for")
	if agency == "" || agency == source {
		return nil
	}
	found := object{"agency": agency, "by": source}
	for _, name := range []string{"channel", "person", "paper_number"} {
		if value := bus.Get(told, "body", "happened", name); value != nil {
			found[name] = value
		}
	}
	return found
}

// clockLinks is what the watcher is told of linked cases (8).
func clockLinks(plaintext string) string {
	told := anyJSON(plaintext)
	actor, links, seen := object{"role": "system"}, []any{}, map[any]bool{}
	if agency := bus.Get(told, "body", "actor", "acting_for"); agency != nil {
		actor["acting_for"] = agency
	}
	for _, other := range bus.List(told, "body", "others") {
		link := object{"other": other}
		if relation := bus.Get(told, "body", "relation"); relation != nil {
			link["relation"] = relation
		}
		if !seen[other] {
			links = append(links, link)
		}
		seen[other] = true
	}
	body := object{"actor": actor, "triggers": "none"}
	if len(links) > 0 {
		body["links"] = links
	}
	return canonical(object{"body": body, "schema": "clock/1.0"})
}

// document opens a file by its reference (8).
func document(v object) object {
	hash, found := bus.Text(v, "reference", "sha256"), octets(v["stored"])
	refuse(hash == "", "incomplete-input")
	if key := bus.Text(v, "reference", "key"); key != "" {
		block, _ := aes.NewCipher([]byte(bus.Unb64(key, 32, "wrong-document")))
		opener, _ := cipher.NewGCM(block)
		refuse(len(found) < 12, "wrong-document")
		opened, err := opener.Open(nil, []byte(found[:12]), []byte(found[12:]), nil)
		refuse(err != nil, "wrong-document")
		found = string(opened)
	}
	size, sized := bus.Get(v, "reference", "size").(float64)
	refuse(bus.B64(bus.Hash(found)) != hash || sized && int(size) != len(found), "wrong-document")
	return object{"document": bytesOf(found)}
}

// corrects is what a correction is to who holds these events (9).
func corrects(c bus.Contracts, v object) string {
	correction, _ := c.ReadEvent(octets(v["value"]))
	handoff, answer := bus.Get(correction, "data", "handoff"), "not-held"
	for _, value := range bus.List(v, "held") {
		wrong, verb := c.ReadEvent(octets(value))
		if bus.B64(bus.Hash(octets(value))) != bus.Text(correction, "data", "supersedes", "sha256") {
			continue
		}
		place := strings.HasPrefix(verb, "case.")
		if handoff != nil {
			same := canonical(bus.Get(wrong, "data", "handoff")) == canonical(handoff)
			place = same || bus.Text(wrong, "id") == bus.Text(handoff, "opening")
		}
		own := bus.Text(wrong, "source") == bus.Text(correction, "source") && bus.Text(wrong, "subject") == bus.Text(correction, "subject")
		named := bus.Text(wrong, "id") == bus.Text(correction, "data", "supersedes", "id")
		if answer = "elsewhere"; own && named && place && !strings.HasSuffix(verb, ".corrected") {
			return "held"
		}
	}
	return answer
}

// inbox takes deliveries to one address, in their order; it gives the events that were not there (14).
func inbox(c bus.Contracts, story, v object) []string {
	directory, taken, counts, events := founded(c, story), map[string]any{}, map[string][2]int64{}, []string{}
	for _, told := range bus.List(v, "records") {
		if number, found := bus.Get(told, "record").(float64); found {
			refuse(int(number) >= len(bus.List(story, "records")), "malformed-value")
			told = bus.List(story, "records")[int(number)]
		}
		headers, value := map[string]string{}, octets(bus.Get(told, "value"))
		for _, pair := range bus.List(told, "headers") {
			headers[pair.([]any)[0].(string)] = octets(pair.([]any)[1])
		}
		if number, found := bus.Get(told, "value", "submission").(float64); found {
			value = octets(bus.Get(bus.List(story, "submissions")[int(number)], "value"))
		}
		event := c.ReadDelivery(directory, bus.Text(v, "address"), value, headers)
		name := bus.B64(bus.Hash(value))
		if taken[name] != nil {
			continue
		}
		leaf := readLeaf(c, "delivery", headers["delivery"])
		last, due := counts[bus.Text(event, "subject")], int64(1)
		now := [2]int64{whole(bus.Get(leaf, "restored")), whole(bus.Get(leaf, "counter"))}
		if now[0] == last[0] {
			due = last[1] + 1
		}
		refuse(now[0] < last[0] || now[1] != due, "counter-gap")
		counts[bus.Text(event, "subject")] = now
		if afresh(taken, event) {
			continue
		}
		taken[name], events = event, append(events, name)
	}
	return events
}

// afresh tells whether an event that was taken differs from this one in its time alone.
func afresh(taken map[string]any, event any) bool {
	under := 0
	for _, one := range taken {
		if bus.Text(one, "id") != bus.Text(event, "id") || bus.Text(one, "source") != bus.Text(event, "source") {
			continue
		}
		again := maps.Clone(one.(object))
		again["time"] = bus.Get(event, "time")
		if canonical(again) == canonical(event) {
			return true
		}
		under++
	}
	refuse(under > 0, "id-reused")
	return false
}

func whole(value any) int64 { number, _ := value.(float64); return int64(number) }

// succession is who speaks for an agency, where what is meant for an address goes, and who may take over (15).
func succession(c bus.Contracts, v object) object {
	entries := map[string]any{}
	for id, value := range v["entries"].(object) {
		entries[id] = c.ReadRecord("directory-entry", octets(value))
	}
	address, at := bus.Text(v, "address"), bus.Text(v, "at")
	agency, desk, _ := strings.Cut(address, "/")
	var speaker, reached any = agency, nil
	seen := map[any]bool{}
	for speaker != nil {
		entry := entries[fmt.Sprint(speaker)]
		if end := bus.Text(entry, "ends_at"); end == "" || at < end {
			break
		}
		seen[speaker] = true
		following := append(bus.List(entry, "successors"), nil)[0]
		if speaker = following; seen[following] {
			speaker = nil
		}
	}
	if entry := entries[fmt.Sprint(speaker)]; bus.Text(entry, "delivery", "kind") == "bus" {
		if reached = speaker; desk != "" && slices.Contains(bus.List(entry, "desks"), any(desk)) {
			reached = fmt.Sprint(speaker, "/", desk)
		}
	}
	takers := map[string]bool{}
	for left := []string{agency}; len(left) > 0; left = left[1:] {
		for _, one := range bus.List(entries[left[0]], "successors") {
			if !takers[one.(string)] {
				left = append(left, one.(string))
			}
			takers[one.(string)] = true
		}
	}
	delete(takers, agency)
	return object{"speaker": speaker, "reached": reached, "takers": append([]string{}, slices.Sorted(maps.Keys(takers))...)}
}

var triggerForm = regexp.MustCompile(`\A[a-z][a-z0-9-]{0,63}\z`)
var addressForm = regexp.MustCompile(`\A[a-z0-9-]{1,63}(/[a-z0-9-]{1,63})?\z`)

// clockCompared holds the triggers told to the watcher against those of the forms (8).
func clockCompared(v object) object {
	names := func(list []any, whole bool) (found []string) {
		for _, one := range list {
			trigger, whose := bus.Text(one, "trigger"), bus.Text(one, "whose")
			refuse(!triggerForm.MatchString(trigger) || !addressForm.MatchString(whose), "malformed-section")
			if at := bus.Text(one, "occurred_at"); at != "" {
				millis(at)
			}
			if name := trigger + " " + whose; whole {
				found = append(found, canonical(one))
			} else {
				found = append(found, name)
			}
		}
		return found
	}
	whole, isBool := v["whole"].(bool)
	refuse(!isBool, "malformed-value")
	told, derived := names(bus.List(v, "told"), whole), names(bus.List(v, "derived"), whole)
	for _, one := range derived {
		refuse(!slices.Contains(told, one), "clock-differs")
	}
	for _, one := range told {
		refuse(whole && !slices.Contains(derived, one), "clock-differs")
	}
	return object{}
}

// certainty is what a person is told of a form (8).
func certainty(v object, contracts string) object {
	name, version, _ := strings.Cut(bus.Text(v, "schema"), "/")
	schema := readJSON(contracts, "schemas", name+"-"+strings.Split(version, ".")[0]+".json")
	refuse(bus.Text(schema, "title") != bus.Text(v, "schema"), "unknown-schema")
	basis, unread := []any{}, []string{}
	for _, one := range bus.List(schema, "basis") {
		basis = append(basis, []any{bus.Get(one, "place"), bus.Get(one, "confidence")})
	}
	for field, form := range bus.Get(schema, "properties", "body", "properties").(object) {
		if bus.Get(form, "provisional") == true {
			unread = append(unread, field)
		}
	}
	slices.Sort(unread)
	return object{"status": bus.Get(schema, "schema_status"), "basis": basis, "provisional": unread}
}
