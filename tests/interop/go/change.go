package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	bus "referral-bus/reader"
)

const proofTyp = "referral-bus-directory-entry+jws"

// judged is what the router makes of directory changes (15), one after the other: the last has to be taken too.
type judged struct {
	c       bus.Contracts
	trust   any
	signed  any
	entries map[string]any
	owners  map[string]string
}

func change(c bus.Contracts, v object) object {
	j := judged{c: c, trust: v["trust_root"], entries: map[string]any{}, owners: map[string]string{}}
	for _, value := range append(bus.List(v, "before"), v["value"]) {
		j.apply(octets(value))
	}
	return object{"version": bus.Get(j.signed, "head", "version"), "root": bus.Get(j.signed, "head", "root")}
}

func (j *judged) apply(value string) {
	refuse(len(value) > 655360, "oversize")
	told := j.c.ReadRecord("directory-change", value)
	agencies, signed, rules := bus.List(told, "data", "agencies"), bus.Get(told, "data", "head"), bus.Get(told, "data", "policy")
	for _, entry := range agencies {
		j.c.ReadRecord("directory-entry", canonical(entry))
	}
	if rules != nil {
		policy(j.c, canonical(rules))
	}
	j.follows(signed)
	name := bus.Text(told, "bus")
	refuse(name != bus.Text(j.trust, "bus"), "wrong-bus")
	entries := maps.Clone(j.entries)
	for _, entry := range agencies {
		j.admit(name, entry)
		checkGrants(entry)
		refuseLoss(entry, entries[bus.Text(entry, "id")])
		entries[bus.Text(entry, "id")] = entry
	}
	if rules != nil {
		still := bus.List(rules, "outages")
		for _, told := range bus.List(entries["@policy"], "outages") {
			same := func(one any) bool { return canonical(one) == canonical(told) }
			refuse(!slices.ContainsFunc(still, same), "entry-vanished")
		}
		entries["@policy"] = rules
	}
	texts := map[string]string{}
	for key, entry := range entries {
		texts[key] = canonical(entry)
	}
	for _, entry := range agencies {
		for _, one := range append(bus.List(entry, "successors"), bus.Text(entry, "delivery", "agency")) {
			refuse(one != "" && texts[one.(string)] == "", "unknown-recipient")
		}
	}
	found := j.c.ReadDirectory(j.trust, texts, canonical(signed), j.signed, bus.Text(signed, "head", "issued"))
	for _, role := range []any{"registrar", "router", "deadline-watcher", "audit-log"} {
		having := 0
		for _, entry := range found {
			if slices.Contains(bus.List(entry, "roles"), role) {
				having++
			}
		}
		refuse(having > 1, "not-permitted")
	}
	j.signed, j.entries = signed, entries
}

func (j *judged) follows(signed any) {
	head, last := bus.Get(signed, "head"), bus.Get(j.signed, "head")
	version := func(head any) int64 {
		if head == nil {
			return 0
		}
		return whole(bus.Get(head, "version"))
	}
	if last != nil {
		refuse(canonical(head) == canonical(last), "duplicate")
	}
	refuse(version(head) <= version(last), "directory-stale")
	previous := ""
	if last != nil {
		previous = bus.B64(bus.Hash(canonical(last)))
	}
	refuse(version(head) != version(last)+1 || bus.Text(head, "previous") != previous, "directory-forked")
}

func (j *judged) admit(name string, entry any) {
	provers, kids := map[string]string{}, map[string]bool{}
	for _, use := range []string{"event", "log", "http", "seal"} {
		for _, key := range bus.List(entry, "keys") {
			if bus.Text(key, "use") != use {
				continue
			}
			kid, public, proof := bus.Text(key, "kid"), bus.Unb64(bus.Text(key, "public"), -1, "malformed-value"), bus.Text(key, "proof")
			owner := j.owners[kid]
			refuse(owner != "" && owner != bus.Text(entry, "id"), "repeated-key")
			refuse(use == "log" && !slices.Contains(bus.List(entry, "roles"), any("audit-log")), "not-permitted")
			prover := public
			if use == "seal" {
				refuse(admitSealing(public) != kid, "malformed-key")
			} else {
				admit(public)
				refuse(bus.SigningKid(public) != kid, "malformed-key")
			}
			by, _ := bus.Signed(proof, proofTyp)
			if use == "seal" {
				prover = provers[by]
			}
			refuse(prover == "" || use != "seal" && by != kid, "missing-proof")
			possession := object{"agency": bus.Text(entry, "id"), "bus": name, "desk": bus.Get(key, "desk"), "kid": kid, "use": use}
			bus.Verify(prover, proof, proofTyp, canonical(possession))
			if use == "event" {
				provers[kid] = public
			}
			kids[kid] = true
		}
	}
	refuse(len(kids) != len(bus.List(entry, "keys")), "repeated-key")
	for kid := range kids {
		j.owners[kid] = bus.Text(entry, "id")
	}
}

// checkGrants bounds what an auditor may read.
func checkGrants(entry any) {
	seen := map[string]bool{}
	for _, grant := range bus.List(entry, "grants") {
		from, until := bus.Text(grant, "valid_from"), bus.Text(grant, "valid_until")
		year, _ := strconv.Atoi(from[:4])
		refuse(!slices.Contains(bus.List(entry, "roles"), any("auditor")) || seen[canonical(grant)], "not-permitted")
		refuse(bus.Get(grant, "case") != nil && bus.Get(grant, "province") != nil, "not-permitted")
		refuse(until <= from || until > fmt.Sprintf("%04d", year+1)+from[4:], "not-permitted")
		seen[canonical(grant)] = true
	}
}

// refuseLoss keeps checkable what was signed with a key.
func refuseLoss(entry, old any) {
	for _, key := range bus.List(old, "keys") {
		same := func(one any) bool { return bus.Text(one, "kid") == bus.Text(key, "kid") }
		index := slices.IndexFunc(bus.List(entry, "keys"), same)
		refuse(index < 0, "entry-vanished")
		now := bus.List(entry, "keys")[index]
		refuse(bus.Text(now, "desk") != bus.Text(key, "desk") || bus.Text(now, "use") != bus.Text(key, "use"), "entry-vanished")
		revoked, again := bus.Text(key, "revoked_at"), bus.Text(now, "revoked_at")
		refuse(revoked != "" && (again == "" || again > revoked), "entry-vanished")
		refuse(bus.Text(now, "valid_from") != bus.Text(key, "valid_from"), "entry-vanished")
		refuse(bus.Text(now, "valid_until") < bus.Text(key, "valid_until"), "entry-vanished")
	}
}
