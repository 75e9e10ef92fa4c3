package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	bus "referral-bus/reader"
)

func kindsOf(c bus.Contracts, contracts string) map[string]func(object) object {
	text := func(v object, name string) string { return bus.Text(v, name) }
	leaf := func(kind string) func(object) object {
		return func(v object) object {
			readLeaf(c, kind, octets(v["leaf"]))
			return object{"hash": bus.B64(bus.Hash("\x00" + octets(v["leaf"])))}
		}
	}
	record := func(grammar string) func(object) object {
		return func(v object) object { c.ReadRecord(grammar, octets(v["value"])); return object{} }
	}
	lifecycle := readJSON(contracts, "lifecycle.json")
	return map[string]func(object) object{
		"base64url": func(v object) object {
			size := -1
			if told, found := v["size"].(float64); found {
				size = int(told)
			}
			return object{"bytes": bytesOf(bus.Unb64(text(v, "text"), size, "malformed-value"))}
		},
		"body": func(v object) object { return body(octets(v["plaintext"]), contracts) },
		"change": func(v object) object {
			trustRoot(canonical(v["trust_root"]))
			return change(c, v)
		},
		"case-step":    func(v object) object { return step(lifecycle, "cases", v) },
		"handoff-step": func(v object) object { return step(lifecycle, "handoffs", v) },
		"receipt-step": func(v object) object {
			v["state"], v["part"] = v["receipt"], "recipient"
			return step(lifecycle, "receipts", v)
		},
		"claim":     func(v object) object { return object{"claim": claim(octets(v["plaintext"]), text(v, "source"))} },
		"certainty": func(v object) object { return certainty(v, contracts) },
		"clock-bounds": func(v object) object {
			refuse(count(v["told"])+count(v["more"]) > 256, "too-many")
			return object{}
		},
		"clock-compared": clockCompared,
		"clock-links":    func(v object) object { return object{"clock": bytesOf(clockLinks(octets(v["plaintext"])))} },
		"clock-name":     clockName,
		"correction":     func(v object) object { return object{"corrects": corrects(c, v)} },
		"decision":       leaf("decision"),
		"delivery":       leaf("delivery"),
		"verdict":        leaf("verdict"),
		"directory": func(v object) object {
			trustRoot(canonical(v["trust_root"]))
			entries := map[string]string{}
			for key, value := range v["entries"].(object) {
				refuse(value == nil, "entry-vanished")
				entries[key] = octets(value)
			}
			var inUse any
			if v["in_use"] != nil {
				inUse = c.ReadRecord("directory-head", octets(v["in_use"]))
			}
			c.ReadDirectory(v["trust_root"], entries, octets(v["head"]), inUse, text(v, "at"))
			return object{"version": bus.Get(c.ReadRecord("directory-head", octets(v["head"])), "head", "version")}
		},
		"disclosed-section": func(v object) object {
			section, ctx := placed(c, v)
			return object{"plaintext": bytesOf(bus.Open(section, ctx, octets(v["cek"])))}
		},
		"document":    document,
		"due":         due,
		"due-told":    dueTold,
		"entry":       record("directory-entry"),
		"policy":      func(v object) object { policy(c, octets(v["value"])); return object{} },
		"signed-head": record("directory-head"),
		"envelope": func(v object) object {
			_, verb := c.ReadEvent(octets(v["value"]))
			return object{"verb": verb, "event": bus.B64(bus.Hash(octets(v["value"])))}
		},
		"head-signatures": func(v object) object {
			trustRoot(canonical(v["trust_root"]))
			bus.CheckHead(v["trust_root"], c.ReadRecord("directory-head", octets(v["head"])))
			return object{}
		},
		"inbox": func(v object) object {
			story, found := readJSON(contracts, "vectors/"+text(v, "story")+".json").(object)
			refuse(!found, "no-such-story")
			return object{"events": inbox(c, story, v)}
		},
		"json": func(v object) object { return object{"canonical": bytesOf(canonical(anyJSON(octets(v["bytes"]))))} },
		"length-prefix": func(v object) object {
			parts := []string{}
			for _, part := range v["parts"].([]any) {
				parts = append(parts, octets(part))
			}
			return object{"bytes": bytesOf(bus.LP(parts...))}
		},
		"life": func(v object) object { return life(c, v) },
		"merkle-path": func(v object) object {
			index, size := uint32(v["index"].(float64)), uint32(v["size"].(float64))
			leaf, path := bus.Unb64(text(v, "leaf_hash"), -1, "malformed-value"), bus.Unb64(text(v, "path"), -1, "malformed-value")
			refuse(bus.B64(bus.RootOf(leaf, index, size, path)) != text(v, "root"), "bad-decision")
			return object{}
		},
		"merkle-tree": func(v object) object {
			hashes, paths := []string{}, []any{}
			for _, leaf := range v["leaves"].([]any) {
				hashes = append(hashes, bus.Hash("\x00"+octets(leaf)))
			}
			for i := range hashes {
				paths = append(paths, bus.B64(pathTo(i, hashes)))
			}
			return object{"root": bus.B64(bus.Root(hashes)), "paths": paths}
		},
		"notice-id": func(v object) object {
			parts := []string{"referral-bus/v1/notice"}
			for _, name := range []string{"bus", "subject", "about", "verb", "recipient"} {
				parts = append(parts, text(v, name))
			}
			level, step := fmt.Sprint(v["level"]), fmt.Sprint(v["step"])
			raw := []byte(bus.Hash(bus.LP(append(parts, level, step)...)))[:16]
			raw[6], raw[8] = raw[6]&0x0f|0x80, raw[8]&0x3f|0x80
			return object{"id": fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])}
		},
		"partition": func(v object) object {
			return object{"partition": murmur2(text(v, "subject")) & 0x7fffffff % uint32(v["partitions"].(float64))}
		},
		"proof": func(v object) object {
			bus.SigningKid(octets(v["public"]))
			bus.CheckProof(octets(v["public"]), octets(v["leaf"]), octets(v["path"]), octets(v["root"]), v["bus"], v["partition"])
			return object{}
		},
		"recall": func(v object) object {
			early := slices.Contains(bus.List(lifecycle, "not_shown_held"), v["state"]) && v["receipt"] == "none"
			refuse(early || bus.Get(lifecycle, "receipts", text(v, "receipt")) == nil, "illegal-transition")
			v["verb"], v["part"] = "handoff.recalled", "sender"
			return step(lifecycle, "handoffs", v)
		},
		"pseudonym": func(v object) object {
			return object{"subject": bus.Pseudonym(text(v, "bus"), text(v, "source"), text(v, "id"))}
		},
		"room": func(v object) object { return room(lifecycle, v) },
		"sealing-key": func(v object) object {
			return object{"kid": admitSealing(octets(v["public"]))}
		},
		"section": func(v object) object {
			section, ctx := placed(c, v)
			cek := bus.ContentKey(section, ctx, text(v, "address"), octets(v["secret"]))
			return object{"plaintext": bytesOf(bus.Open(section, ctx, cek)), "cek": bus.B64(cek)}
		},
		"signature": func(v object) object {
			admit(octets(v["public"]))
			bus.Verify(octets(v["public"]), octets(v["text"]), text(v, "typ"), octets(v["payload"]))
			again := bus.Sign(bus.Unb64(text(v, "seed"), 32, "malformed-value"), text(v, "typ"), octets(v["payload"]))
			refuse(again != octets(v["text"]), "written-otherwise")
			return object{"seed": text(v, "seed")}
		},
		"signing-key": func(v object) object {
			admit(octets(v["public"]))
			return object{"kid": bus.SigningKid(octets(v["public"]))}
		},
		"submission": func(v object) object {
			story := readJSON(contracts, "vectors/"+text(v, "story")+".json").(object)
			return submission(c, story, v)
		},
		"succession": func(v object) object { return succession(c, v) },
		"tick": func(v object) object {
			told := object{"bus": v["bus"], "kind": "tick", "partition": v["partition"], "time": v["time"]}
			c.Read("tick", canonical(told))
			return object{"bytes": bytesOf(canonical(told))}
		},
		"time":       func(v object) object { return object{"ms": millis(text(v, "text"))} },
		"trust-root": func(v object) object { trustRoot(octets(v["value"])); return object{} },
		"write":      func(v object) object { return written(c, v) },
	}
}

func refuse(fault bool, code string) {
	if fault {
		panic(bus.Refusal(code))
	}
}

// placed is a vector's section in an event of its context, read as every event, and what it is bound to.
func placed(c bus.Contracts, v object) (section any, ctx string) {
	told := v["context"].(object)
	number, err := strconv.Atoi(strings.TrimPrefix(bus.Text(told, "section"), "s"))
	refuse(err != nil || bus.Text(told, "section") != fmt.Sprint("s", number), "malformed-section")
	data := object{"recipients": []any{}, "sections": []any{v["section"]}}
	if told["handoff"] != nil {
		data["handoff"] = told["handoff"]
	}
	event, _ := c.ReadEvent(canonical(object{
		"bus": told["bus"], "data": data, "datacontenttype": "application/json", "exercise": true, "id": told["id"],
		"source": told["source"], "specversion": "1.0", "subject": told["subject"], "time": "2026-03-14T02:20:00.000Z",
		"type": "vn.referral-bus.case.opened.v1",
	}))
	return bus.List(event, "data", "sections")[0], bus.Context(event, number)
}

// step is a move of section 9, by the table.
func step(lifecycle any, machine string, v object) object {
	ever := machine == "receipts"
	for state, steps := range bus.Get(lifecycle, machine).(object) {
		for _, one := range steps.([]any) {
			if bus.Text(one, "verb") == bus.Text(v, "verb") && bus.Text(one, "part") == bus.Text(v, "part") {
				if state == bus.Text(v, "state") {
					return object{"after": bus.Text(one, "after")}
				}
				ever = true
			}
		}
	}
	refuse(ever || isReceipt(lifecycle, v), "illegal-transition")
	panic(bus.Refusal("wrong-party"))
}

// isReceipt tells whether a recipient can ever say the verb beside the table of hand-offs.
func isReceipt(lifecycle any, v object) bool {
	said := func(one any) bool { return bus.Text(one, "verb") == bus.Text(v, "verb") }
	return bus.Text(v, "part") == "recipient" && slices.ContainsFunc(bus.List(lifecycle, "receipts", "none"), said)
}
