package main

import (
	logged "referral-bus/log"
	bus "referral-bus/reader"
)

// logKinds are the vectors of the log (SPEC 22), tried on the reader of what it publishes.
func logKinds() map[string]func(object) object {
	text := func(v object, name string) string { return bus.Text(v, name) }
	raw := func(v object, name string) string { return bus.Unb64(text(v, name), -1, "malformed-value") }
	number := func(v object, name string) uint64 { found, _ := v[name].(float64); return uint64(found) }
	proof := func(v object) (found []string) {
		for _, one := range bus.List(v, "proof") {
			found = append(found, bus.Unb64(one.(string), -1, "malformed-value"))
		}
		return found
	}
	key := func(v object) logged.Key { return logged.ReadKey(text(v, "vkey")) }
	return map[string]func(object) object{
		"log-access": func(v object) object {
			millis(bus.Text(v, "key", "valid_from"))
			millis(bus.Text(v, "key", "valid_until"))
			found := readAccess(octets(v["record"]), text(v, "bus"), v["key"])
			return object{"by": bus.Get(found, "by"), "asked": bus.Get(found, "asked"), "subject": bus.Get(found, "subject")}
		},
		"log-checkpoint": func(v object) object {
			found := logged.OpenCheckpoint(octets(v["note"]), key(v))
			return object{"origin": found.Origin, "size": found.Size, "root": bus.B64(found.Root)}
		},
		"log-consistency": func(v object) object {
			logged.CheckConsistency(number(v, "old"), raw(v, "old_root"), number(v, "new"), raw(v, "new_root"), proof(v))
			return object{}
		},
		"log-cosignature": func(v object) object {
			return object{"time": logged.ReadCosignature(text(v, "text"), octets(v["line"]), key(v))}
		},
		"log-inclusion": func(v object) object {
			logged.CheckInclusion(raw(v, "leaf"), number(v, "index"), number(v, "size"), raw(v, "root"), proof(v))
			return object{}
		},
		"log-key": func(v object) object { found := key(v); return object{"key_id": found.ID, "type": found.Type} },
		"log-leaf": func(v object) object {
			logged.ReadRecord(octets(v["record"]))
			entry := logged.EntryOf(bus.Unb64(text(v, "salt"), 32, "malformed-value"), octets(v["record"]))
			return object{"entry": bus.B64(entry), "leaf": bus.B64(logged.LeafOf(entry))}
		},
		"log-policy": func(v object) object {
			found, witnesses, quorum := logged.ReadPolicy(octets(v["policy"])).Check(octets(v["note"]))
			return object{"size": found.Size, "witnesses": witnesses, "quorum": quorum}
		},
		"log-receipt": func(v object) object {
			policy := logged.ReadPolicy(octets(v["policy"]))
			index, decision, found, witnessed := logged.CheckReceipt(octets(v["receipt"]), octets(v["signature"]), octets(v["value"]), policy)
			return object{"index": index, "decision": bus.B64(decision), "size": found.Size, "witnessed": witnessed}
		},
		"log-request": func(v object) object {
			var last *logged.Checkpoint
			if v["last"] != nil {
				found := logged.OpenCheckpoint(octets(v["last"]), key(v))
				last = &found
			}
			return object{"status": answerTo(octets(v["body"]), key(v), last)}
		},
		"log-tiles": func(v object) object {
			paths := tilesFor(number(v, "old"), number(v, "new"))
			if len(paths) > 8 {
				paths = append(paths[:2:2], paths[len(paths)-6:]...)
			}
			return object{"paths": append([]string{}, paths...)}
		},
	}
}
