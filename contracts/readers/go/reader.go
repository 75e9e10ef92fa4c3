// Package referralbus reads and writes events of referral-bus with Go's standard library alone, for an agency to start
// from. It was made from ../../SPEC.md: numbers in comments are its sections. Bytes are strings.
package referralbus

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/bits"
	"regexp"
	"slices"
	"strings"
	"time"
)

const vn, eventTyp, rootTyp, headTyp = "vn.referral-bus.", "referral-bus-event+jws", "referral-bus-decision+jws", "referral-bus-directory-head+jws"

// Refusal is a code of section 12. It is thrown, so that no caller can go on by mistake.
type Refusal string

func refuse(fault bool, code string) {
	if fault {
		panic(Refusal(code))
	}
}

// must gives what a library made, or refuses.
func must[T any](made T, err error) func(code string) T {
	return func(code string) T { refuse(err != nil, code); return made }
}

// Unb64 takes binary in its one spelling (2), of that size unless negative.
func Unb64(text string, size int, code string) string {
	data := must(base64.RawURLEncoding.Strict().DecodeString(text))(code)
	refuse(strings.ContainsAny(text, "\r\n") || size >= 0 && len(data) != size, code)
	return string(data)
}
func B64(data string) string  { return base64.RawURLEncoding.EncodeToString([]byte(data)) }
func Hash(data string) string { sum := sha256.Sum256([]byte(data)); return string(sum[:]) }

// LP writes each part behind its length (2).
func LP(parts ...string) (out string) {
	for _, part := range parts {
		out += string(binary.BigEndian.AppendUint32(nil, uint32(len(part)))) + part
	}
	return out
}

// canonical spells what no person wrote a text in: Go escapes signs in texts that have to stand as they are (2).
func canonical(value any) string { return string(must(json.Marshal(value))("malformed-value")) }

// Get gives what stands in JSON at a path, or nothing.
func Get(value any, path ...string) any {
	for _, name := range path {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	return value
}
func Text(value any, path ...string) string { found, _ := Get(value, path...).(string); return found }
func List(value any, path ...string) []any  { found, _ := Get(value, path...).([]any); return found }

// one is the member of a list in which two names have these values.
func one(list []any, code, name, value, other, also string) any {
	i := slices.IndexFunc(list, func(it any) bool { return Text(it, name) == value && Text(it, other) == also })
	refuse(i < 0, code)
	return list[i]
}

// Contracts is the data of ../..: lifecycle.json with the verbs (9), by json.Unmarshal, and in Grammars, likewise,
// grammars.json with the expressions of all that is canonical JSON (2).
type Contracts struct {
	Verbs    map[string]any
	Grammars map[string]*regexp.Regexp
}

// Read takes canonical JSON. Where its grammar matches nothing is left to be asked of types, of the order or of spelling.
func (c Contracts) Read(grammar, value string) (found any) {
	refuse(strings.ToValidUTF8(value, "") != value || json.Unmarshal([]byte(value), &found) != nil, "malformed-json")
	matches := c.Grammars[grammar].MatchString(value)
	refuse(!matches && canonical(found) != value, "not-canonical")
	refuse(!matches, "malformed-envelope")
	return found
}

// ReadEvent takes an envelope (3).
func (c Contracts) ReadEvent(value string) (event any, verb string) {
	refuse(len(value) > 262144, "oversize")
	event = c.Read("envelope", value)
	fault := len(List(event, "data", "recipients")) > 32 || len(List(event, "data", "sections")) > 16
	for _, section := range List(event, "data", "sections") {
		size, last := len(Unb64(Text(section, "content"), -1, "malformed-section"))-16, ""
		fault = fault || size != Padded(size) || len(List(section, "readers")) > 32
		for _, reader := range List(section, "readers") {
			fault = fault || len(Text(reader, "enc")) != 1558 || Text(reader, "kid") <= last
			last = Text(reader, "kid")
		}
	}
	refuse(fault, "malformed-envelope")
	verb = strings.TrimSuffix(strings.TrimRight(strings.TrimPrefix(Text(event, "type"), vn), "0123456789"), ".v")
	refuse(c.Verbs[verb] == nil, "unknown-type")
	refuse(Text(event, "type") != vn+verb+".v1", "unknown-version")
	return event, verb
}

// A curve's numbers are little-endian: turned, and in hex, they compare as texts do. Which of them are weak: see 5.
var prime, weak = "7f" + strings.Repeat("f", 60) + "ed", regexp.MustCompile(`^(?:0{63}[01]|7f{61}ec|` +
	`7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7|05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826)$`)

func turned(number string) string {
	digits := []byte(number)
	slices.Reverse(digits)
	return fmt.Sprintf("%x", digits)
}

// SigningKid is the key id of an Ed25519 key that is worth verifying with (5).
func SigningKid(public string) string {
	refuse(len(public) != 32, "malformed-key")
	y := turned(public[:31] + string([]byte{public[31] & 0x7f}))
	refuse(y >= prime, "malformed-key")
	refuse(weak.MatchString(y), "weak-key")
	return B64(Hash(`{"crv":"Ed25519","kty":"OKP","x":"` + B64(public) + `"}`))
}

// SealingKid is the key id of an X-Wing key (5).
func SealingKid(public string) string {
	refuse(len(public) != 1216 || turned(public[1184:]) >= prime, "malformed-key")
	must(mlkem.NewEncapsulationKey768([]byte(public[:1184])))("malformed-key")
	return B64(Hash(`{"alg":"X-Wing","kty":"AKP","pub":"` + B64(public) + `"}`))
}

// header is what a signature begins with (6).
func header(kid, typ string) string {
	return B64(`{"alg":"Ed25519","b64":false,"crit":["b64"],"kid":"` + kid + `","typ":"` + typ + `"}`)
}

// Signed takes a signature apart. The header is compared, and never parsed.
func Signed(text, typ string) (kid, signature string) {
	told, encoded, _ := strings.Cut(text, "..")
	_, rest, _ := strings.Cut(Unb64(told, -1, "malformed-signature"), `"kid":"`)
	kid, _, _ = strings.Cut(rest, `"`)
	refuse(told != header(B64(Unb64(kid, 32, "malformed-signature")), typ), "malformed-signature")
	return kid, Unb64(encoded, 64, "malformed-signature")
}

func Verify(public, text, typ, payload string) {
	kid, signature := Signed(text, typ)
	valid := kid == SigningKid(public) && ed25519.Verify([]byte(public), []byte(header(kid, typ)+"."+payload), []byte(signature))
	refuse(!valid, "bad-signature")
}

func Sign(seed, typ, payload string) string {
	key := ed25519.NewKeyFromSeed([]byte(seed))
	told := header(SigningKid(string(key.Public().(ed25519.PublicKey))), typ)
	return told + ".." + B64(string(ed25519.Sign(key, []byte(told+"."+payload))))
}

// RootOf is the root of a Merkle tree to which a path leads (13).
func RootOf(leaf string, index, size uint32, path string) string {
	refuse(index >= size || len(leaf) != 32 || (size == 1) != (path == "") || size > 1 && len(path) < 32, "bad-decision")
	if size == 1 {
		return leaf
	}
	left, end := uint32(1)<<(bits.Len32(size-1)-1), len(path)-32
	if index < left {
		return Hash("\x01" + RootOf(leaf, index, left, path[:end]) + path[end:])
	}
	return Hash("\x01" + path[end:] + RootOf(leaf, index-left, size-left, path[:end]))
}

// CheckProof tells that the router, whose key that is, signed a leaf (13).
func CheckProof(public, leaf, path, root string, bus, partition any) {
	defer func() { refuse(recover() != nil, "bad-decision") }()
	index, size := binary.BigEndian.Uint32([]byte(path)), binary.BigEndian.Uint32([]byte(path[4:]))
	told := map[string]any{"bus": bus, "partition": partition, "root": B64(RootOf(Hash("\x00"+leaf), index, size, path[8:])), "size": size}
	Verify(public, root, rootTyp, canonical(told))
}

// ReadLeaf takes what the router states (13).
func (c Contracts) ReadLeaf(d Directory, kind, leaf, path, root string) (told any) {
	refuse(!c.Grammars[kind].MatchString(leaf), "bad-decision")
	told = c.Read(kind, leaf)
	kid, _ := Signed(root, rootTyp)
	CheckProof(d.EventKey(d.Service("router"), kid, Text(told, "admitted")), leaf, path, root, Get(told, "bus"), Get(told, "partition"))
	return told
}

// ReadDelivery takes a delivery: steps 1 to 7 of 14.
func (c Contracts) ReadDelivery(d Directory, address, value string, headers map[string]string) any {
	refuse(len(headers) != 5 || headers["kind"] != "delivery", "unexpected-header")
	leaf := c.ReadLeaf(d, "delivery", headers["delivery"], headers["path"], headers["root"])
	refuse(Text(leaf, "recipient") != address || Text(leaf, "event") != B64(Hash(value)), "bad-decision")
	event, verb := c.ReadEvent(value)
	refuse(Get(event, "bus") != Get(leaf, "bus") || Get(event, "subject") != Get(leaf, "subject"), "bad-decision")
	refuse(!slices.Contains(List(event, "data", "recipients"), any(address)), "bad-decision")
	kid, _ := Signed(headers["signature"], eventTyp)
	Verify(d.EventKey(Text(event, "source"), kid, Text(leaf, "admitted")), headers["signature"], eventTyp, value)
	refuse(strings.HasPrefix(verb, "deadline.") && Text(event, "source") != d.Service("deadline-watcher"), "wrong-party")
	return event
}

// Context is what section i of an event is bound to (7).
func Context(e any, i int) string {
	place := Text(e, "id")
	if handoff := Get(e, "data", "handoff"); handoff != nil {
		place = Text(handoff, "opening") + " " + Text(handoff, "recipient")
	}
	return LP("referral-bus/section", "1", Text(e, "bus"), Text(e, "id"), Text(e, "source"), Text(e, "subject"), place, fmt.Sprint("s", i))
}

// ContentKey opens a content key: steps 1 and 2 of 7. The event MUST have been checked.
func ContentKey(section any, ctx, address, secret string) string {
	refuse(len(secret) != 96, "malformed-key")
	pq := must(mlkem.NewDecapsulationKey768([]byte(secret[:64])))("malformed-key")
	classic := must(ecdh.X25519().NewPrivateKey([]byte(secret[64:])))("malformed-key")
	key := must(hpke.NewHybridPrivateKey(pq, classic))("malformed-key")
	kid := SealingKid(string(key.PublicKey().Bytes()))
	reader := one(List(section, "readers"), "not-a-reader", "address", address, "kid", kid)
	enc, info := []byte(Unb64(Text(reader, "enc"), 1168, "malformed-section")), []byte(ctx+LP(address, kid))
	return string(must(hpke.Open(key, hpke.HKDFSHA256(), hpke.AES256GCM(), info, enc))("wrong-commitment"))
}

// derive makes of a content key the cipher, its nonce, the commitment, and what the content is bound to (7).
func derive(cek, ctx string, readers []any) (sealer cipher.AEAD, nonce []byte, commit string, bound []byte) {
	refuse(len(cek) != 32, "wrong-commitment")
	out := must(hkdf.Expand(sha256.New, []byte(cek), ctx, 76))("wrong-commitment")
	sealer = must(cipher.NewGCM(must(aes.NewCipher(out[:32]))("wrong-commitment")))("wrong-commitment")
	kids := ""
	for _, reader := range readers {
		kids += LP(Text(reader, "kid"))
	}
	return sealer, out[32:44], string(out[44:]), []byte(ctx + Hash(kids))
}

// Open opens a section: steps 3 to 5 of 7, by a content key that was opened or disclosed.
func Open(section any, ctx, cek string) string {
	sealer, nonce, commit, bound := derive(cek, ctx, List(section, "readers"))
	sealed := Unb64(Text(section, "content"), -1, "malformed-section")
	refuse(commit != Unb64(Text(section, "commit"), -1, "malformed-section"), "wrong-commitment")
	content := string(must(sealer.Open(nil, nonce, []byte(sealed), bound))("wrong-commitment"))
	end := 4 + int(binary.BigEndian.Uint32([]byte(content+"\x00\x00\x00\x00")))
	refuse(end > len(content) || len(content) != Padded(end) || strings.Trim(content[end:], "\x00") != "", "malformed-section")
	return content[4:end]
}

// Padded is what so many bytes are padded to (7): more than 128 KiB go into no envelope.
func Padded(size int) int { return max(1024, 1<<bits.Len(uint(size-1))) }

// Seal makes a section (7): readers are public keys by address.
func Seal(plaintext string, readers map[string]string, ctx string) map[string]any {
	var cek [32]byte
	rand.Read(cek[:])
	sealed := []any{}
	for address, public := range readers {
		kid, key := SealingKid(public), must(hpke.MLKEM768X25519().NewPublicKey([]byte(public)))("unsealable")
		enc := must(hpke.Seal(key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(ctx+LP(address, kid)), cek[:]))("unsealable")
		sealed = append(sealed, map[string]any{"address": address, "enc": B64(string(enc)), "kid": kid})
	}
	slices.SortFunc(sealed, func(a, b any) int { return strings.Compare(Text(a, "kid"), Text(b, "kid")) })
	content := LP(plaintext)
	content += strings.Repeat("\x00", Padded(len(content))-len(content))
	sealer, nonce, commit, bound := derive(string(cek[:]), ctx, sealed)
	return map[string]any{"commit": B64(commit), "content": B64(string(sealer.Seal(nil, nonce, []byte(content), bound))), "readers": sealed}
}

// Pseudonym is the name of the case that an event opens (4).
func Pseudonym(bus, source, id string) string {
	return fmt.Sprintf("%x", Hash(LP("referral-bus/v1/case", bus, source, id))[:16])
}

// NewID is a UUIDv7 (RFC 9562).
func NewID(now time.Time) string {
	id := fmt.Sprintf("%012x%x", now.UnixMilli(), Hash(rand.Text()))
	return id[:8] + "-" + id[8:12] + "-7" + id[13:16] + "-8" + id[17:20] + "-" + id[20:32]
}

// Write seals and signs an event (3, 6, 7): the value of its record and the header `signature`. The envelope has all
// its members but `datacontenttype`, `id`, `sections`, `specversion`, `time`, `type` and, on a `case.opened`, `subject`.
//
// What its sections say are their plaintexts (8); of each, the readers are public sealing keys by address.
func (c Contracts) Write(event map[string]any, verb, seed string, said []string, to []map[string]string, now time.Time) (value, signature string) {
	event["datacontenttype"], event["specversion"], event["type"] = "application/json", "1.0", vn+verb+".v1"
	event["id"], event["time"] = NewID(now), now.UTC().Format("2006-01-02T15:04:05.000Z")
	if verb == "case.opened" {
		event["subject"] = Pseudonym(Text(event, "bus"), Text(event, "source"), Text(event, "id"))
	}
	sections := []any{}
	for i, plaintext := range said {
		sections = append(sections, Seal(plaintext, to[i], Context(event, i)))
	}
	event["data"].(map[string]any)["sections"] = sections
	value = canonical(event)
	c.ReadEvent(value)
	return value, Sign(seed, eventTyp, value)
}

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
		forked := step == 1 && Text(head, "previous") != B64(Hash(canonical(old)))
		refuse(forked || step == 0 && canonical(head) != canonical(old), "directory-forked")
	}
	refuse(entries["@policy"] == "", "entry-vanished")
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if hashes = append(hashes, Hash("\x00"+entries[key])); key != "@policy" {
			found[key] = c.ReadRecord("directory-entry", entries[key])
		}
	}
	refuse(len(entries) != int(number(head, "entries")) || B64(Root(hashes)) != Text(head, "root"), "directory-root")
	refuse(at >= Text(head, "expires"), "directory-expired")
	return found
}

// ReadRecord takes an entry, a policy or a signed head.
func (c Contracts) ReadRecord(grammar, value string) any {
	record := c.Read(grammar, value)
	following, fault := List(record, "successors"), max(len(List(record, "keys")), len(List(record, "grants")), 4*len(List(record, "signatures"))) > 64
	for i, one := range following {
		fault = fault || i >= 32 || Get(record, "ends_at") == nil || one == Get(record, "id") || slices.Contains(following[:i], one)
	}
	refuse(fault || (Text(record, "delivery", "kind") == "via") != (Get(record, "delivery", "agency") != nil), "malformed-envelope")
	return record
}

// CheckHead tells that enough of the pinned keys signed a head.
func CheckHead(trust, signed any) {
	refuse(Text(signed, "head", "bus") != Text(trust, "bus"), "wrong-bus")
	good, keys := map[string]bool{}, List(trust, "keys")
	for _, text := range List(signed, "signatures") {
		kid, _ := Signed(text.(string), headTyp)
		if i := slices.IndexFunc(keys, func(key any) bool { return Text(key, "kid") == kid }); i >= 0 {
			Verify(Unb64(Text(keys[i], "public"), 32, "malformed-key"), text.(string), headTyp, canonical(Get(signed, "head")))
			good[kid] = true
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
	key := one(List(d[agency], "keys"), "unknown-key", "kid", kid, "use", "event")
	end := Text(key, "revoked_at")
	refuse(at < Text(key, "valid_from") || at >= Text(key, "valid_until") || end != "" && at >= end, "key-not-valid")
	return Unb64(Text(key, "public"), 32, "malformed-key")
}

// Service is the one of the bus's own services that has this role.
func (d Directory) Service(role string) string {
	ids := slices.Sorted(maps.Keys(d))
	i := slices.IndexFunc(ids, func(id string) bool { return slices.Contains(List(d[id], "roles"), any(role)) })
	refuse(i < 0, "wrong-party")
	return ids[i]
}
