package referralbus

import (
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Part is a section to be written: a plaintext (8) for readers, public sealing keys by address.
type Part struct {
	Plaintext string
	Readers   map[string]string
}

// Seal writes section i of an event (7).
func Seal(part Part, ctx string) map[string]any {
	var cek [32]byte
	rand.Read(cek[:])
	readers, kids := []any{}, []string{}
	for address, public := range part.Readers {
		kid := SealingKid(public)
		refuse(slices.Contains(kids, kid), "unsealable")
		key := must(hpke.MLKEM768X25519().NewPublicKey([]byte(public)))("unsealable")
		enc := must(hpke.Seal(key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(ctx+LP(address, kid)), cek[:]))("unsealable")
		kids = append(kids, kid)
		readers = append(readers, map[string]any{"address": address, "enc": B64(string(enc)), "kid": kid})
	}
	slices.SortFunc(readers, func(a, b any) int { return strings.Compare(Text(a, "kid"), Text(b, "kid")) })
	content := append(binary.BigEndian.AppendUint32(nil, uint32(len(part.Plaintext))), part.Plaintext...)
	refuse(Padded(len(content)) == 0, "oversize")
	content = append(content, make([]byte, Padded(len(content))-len(content))...)
	sealer, nonce, commit, bound := derive(string(cek[:]), ctx, kids)
	return map[string]any{"commit": B64(commit), "content": B64(string(sealer.Seal(nil, nonce, content, bound))), "readers": readers}
}

// Sign makes the text of a signature (6) of the key with that seed.
func Sign(seed, typ, payload string) string {
	key := ed25519.NewKeyFromSeed([]byte(seed))
	kid := SigningKid(string(key.Public().(ed25519.PublicKey)))
	header := B64(`{"alg":"Ed25519","b64":false,"crit":["b64"],"kid":"` + kid + `","typ":"` + typ + `"}`)
	return header + ".." + B64(string(ed25519.Sign(key, []byte(header+"."+payload))))
}

// Pseudonym names the case that an event opens (4).
func Pseudonym(bus, source, id string) string {
	return hex.EncodeToString([]byte(Hash(LP("referral-bus/v1/case", bus, source, id))[:16]))
}

// NewID is a fresh event id: a UUIDv7 (RFC 9562).
func NewID(now time.Time) string {
	var random [10]byte
	rand.Read(random[:])
	random[0], random[2] = 0x70|random[0]&0x0f, 0x80|random[2]&0x3f
	digits := fmt.Sprintf("%012x%x", now.UnixMilli(), random)
	return strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
}

// Write seals and signs an event (3, 6, 7): the value of its record and the header `signature`. The envelope has all
// its members but `datacontenttype`, `id`, `sections`, `specversion`, `time`, `type` and, on a `case.opened`, `subject`.
func Write(event map[string]any, verb string, parts []Part, seed string, now time.Time) (value, signature string) {
	event["datacontenttype"], event["specversion"], event["type"] = "application/json", "1.0", "vn.referral-bus."+verb+".v1"
	event["id"], event["time"] = NewID(now), now.UTC().Format("2006-01-02T15:04:05.000Z")
	if verb == "case.opened" {
		event["subject"] = Pseudonym(Text(event, "bus"), Text(event, "source"), Text(event, "id"))
	}
	sections := []any{}
	for i, part := range parts {
		sections = append(sections, Seal(part, Context(event, i)))
	}
	event["data"].(map[string]any)["sections"] = sections
	value = Canonical(event)
	refuse(len(value) > 262144, "oversize")
	return value, Sign(seed, eventTyp, value)
}
