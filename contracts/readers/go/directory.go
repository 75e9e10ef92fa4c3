package referralbus

import (
	"maps"
	"math/bits"
	"slices"
)

const headTyp = "referral-bus-directory-head+jws"

// A Directory says who is on the bus, and with which keys: entries by agency id (15).
type Directory map[string]any

// ReadDirectory puts the entries and the policy, by key, under a signed head, in place of the one in use, or nil, to be
// used at a time.
func (c Contracts) ReadDirectory(trust any, entries map[string]string, signed string, inUse any, at string) Directory {
	told, found, hashes := c.ReadRecord("directory-head", signed), Directory{}, []string{}
	CheckHead(trust, told)
	head, old := Get(told, "head"), Get(inUse, "head")
	if step := number(head, "version") - number(old, "version"); old != nil {
		refuse(step < 0, "directory-stale")
		refuse(step == 0 && canonical(head) != canonical(old), "directory-forked")
		refuse(step == 1 && Text(head, "previous") != B64(Hash(canonical(old))), "directory-forked")
	}
	refuse(entries["@policy"] == "", "entry-vanished")
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		hashes = append(hashes, Hash("\x00"+entries[key]))
	}
	refuse(len(entries) != int(number(head, "entries")) || B64(Root(hashes)) != Text(head, "root"), "directory-root")
	refuse(at >= Text(head, "expires"), "directory-expired")
	for key, value := range entries {
		if key != "@policy" {
			found[key] = c.ReadRecord("directory-entry", value)
		}
	}
	return found
}

// ReadRecord takes an entry, a policy or a signed head.
func (c Contracts) ReadRecord(grammar, value string) any {
	record := c.Read(grammar, value)
	following, fault := List(record, "successors"), len(List(record, "keys")) > 64 || len(List(record, "signatures")) > 16
	for i, one := range following {
		fault = fault || i >= 32 || Get(record, "ends_at") == nil || one == Get(record, "id") || slices.Contains(following[:i], one)
	}
	refuse(fault || (Text(record, "delivery", "kind") == "via") != (Get(record, "delivery", "agency") != nil), "malformed-envelope")
	return record
}

// CheckHead tells that enough of the pinned keys signed a head.
func CheckHead(trust, signed any) {
	refuse(Text(signed, "head", "bus") != Text(trust, "bus"), "wrong-bus")
	good := map[string]bool{}
	for _, text := range List(signed, "signatures") {
		kid, _ := Signed(text.(string), headTyp)
		for _, key := range List(trust, "keys") {
			if Text(key, "kid") == kid {
				Verify(Unb64(Text(key, "public"), 32, "malformed-key"), text.(string), headTyp, canonical(Get(signed, "head")))
				good[kid] = true
			}
		}
	}
	refuse(float64(len(good)) < number(trust, "threshold"), "not-enough-signatures")
}

func number(value any, name string) float64 { found, _ := Get(value, name).(float64); return found }

// Root is that of a Merkle tree (13).
func Root(hashes []string) string {
	if len(hashes) == 1 {
		return hashes[0]
	}
	left := 1 << (bits.Len(uint(len(hashes)-1)) - 1)
	return Hash("\x01" + Root(hashes[:left]) + Root(hashes[left:]))
}

// EventKey is the key of an agency with which something admitted at a time may be signed.
func (d Directory) EventKey(agency, kid, at string) string {
	refuse(d[agency] == nil, "unknown-sender")
	for _, key := range List(d[agency], "keys") {
		if end := Text(key, "revoked_at"); Text(key, "kid") == kid && Text(key, "use") == "event" {
			refuse(at < Text(key, "valid_from") || at >= Text(key, "valid_until") || end != "" && at >= end, "key-not-valid")
			return Unb64(Text(key, "public"), 32, "malformed-key")
		}
	}
	panic(Refusal("unknown-key"))
}

// Service is the one of the bus's own services that has this role.
func (d Directory) Service(role string) (found string) {
	for id, entry := range d {
		if slices.Contains(List(entry, "roles"), any(role)) {
			found = id
		}
	}
	return found
}
