// Package referralbus reads events of referral-bus with Go's standard library alone, for an agency to start from; write.go
// writes them. It was made from ../../SPEC.md: numbers in comments are its sections, names in quotes its members.
package referralbus

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/mlkem"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"math/bits"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Refusal is a code of section 12. It is thrown, so that no caller can go on by mistake; Try makes an error of it.
type Refusal string

func (r Refusal) Error() string { return string(r) }

func Try(what func()) (err error) {
	defer func() {
		if found := recover(); found != nil {
			err = found.(Refusal)
		}
	}()
	what()
	return nil
}

func refuse(fault bool, code string) {
	if fault {
		panic(Refusal(code))
	}
}

// must gives what a library made, or refuses.
func must[T any](made T, err error) func(code string) T {
	return func(code string) T {
		refuse(err != nil, code)
		return made
	}
}

// Unb64 reads binary in its one spelling (2), of that size unless negative.
func Unb64(text string, size int, code string) string {
	data := must(base64.RawURLEncoding.Strict().DecodeString(text))(code)
	refuse(strings.ContainsAny(text, "\r\n") || size >= 0 && len(data) != size, code)
	return string(data)
}

func B64(data string) string { return base64.RawURLEncoding.EncodeToString([]byte(data)) }

func Hash(data string) string {
	sum := sha256.Sum256([]byte(data))
	return string(sum[:])
}

// LP puts each part behind its length (2).
func LP(parts ...string) (out string) {
	for _, part := range parts {
		out += string(binary.BigEndian.AppendUint32(nil, uint32(len(part)))) + part
	}
	return out
}

const eventTyp, decisionTyp, headTyp = "referral-bus-event+jws", "referral-bus-decision+jws", "referral-bus-directory-head+jws"

// Canonical writes what JSON can say in its one spelling (2). Go escapes two line ends that JSON need not.
func Canonical(value any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	refuse(encoder.Encode(value) != nil, "malformed-value")
	return strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029", "\n", "").Replace(out.String())
}

// Get, Text and List look into what Read gave.
func Get(value any, path ...string) any {
	for _, name := range path {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	return value
}

func Text(value any, path ...string) string { found, _ := Get(value, path...).(string); return found }

func List(value any, path ...string) []any { found, _ := Get(value, path...).([]any); return found }

// Contracts are the data of ../..: the verbs (9), and the grammars of what is canonical JSON (2).
type Contracts struct {
	lifecycle struct{ Verbs map[string]any }
	grammars  map[string]*regexp.Regexp
}

func Load(folder string) (c Contracts) {
	for file, into := range map[string]any{"lifecycle.json": &c.lifecycle, "grammars.json": &c.grammars} {
		refuse(json.Unmarshal(must(os.ReadFile(folder+"/"+file))("no-such-file"), into) != nil, "malformed-json")
	}
	return c
}

// Read takes what is canonical JSON.
func (c Contracts) Read(grammar, value string) (found any) {
	decoder := json.NewDecoder(strings.NewReader(value))
	decoder.UseNumber()
	refuse(!json.Valid([]byte(value)) || !utf8.ValidString(value) || decoder.Decode(&found) != nil, "malformed-json")
	refuse(Canonical(found) != value, "not-canonical")
	refuse(!c.grammars[grammar].MatchString(value), "malformed-envelope")
	return found
}

// ReadEvent decodes an envelope (3) and tells its verb.
func (c Contracts) ReadEvent(value string) (event any, verb string) {
	refuse(len(value) > 262144, "oversize")
	event = c.Read("envelope", value)
	fault := len(List(event, "data", "recipients")) > 32 || len(List(event, "data", "sections")) > 16
	for _, section := range List(event, "data", "sections") {
		length, last := len(Text(section, "content")), ""
		fault = fault || length*3/4-16 != Padded(length*3/4-16) || length%4 == 1 || len(List(section, "readers")) > 32
		for _, reader := range List(section, "readers") {
			fault = fault || len(Text(reader, "enc")) != 1558 || Text(reader, "kid") <= last
			last = Text(reader, "kid")
		}
	}
	refuse(fault, "malformed-envelope")
	parts := regexp.MustCompile(`\Avn\.referral-bus\.(.+)\.v([0-9]+)\z`).FindStringSubmatch(Text(event, "type"))
	refuse(parts == nil || c.lifecycle.Verbs[parts[1]] == nil, "unknown-type")
	refuse(parts[2] != "1", "unknown-version")
	return event, parts[1]
}

// ReadLeaf takes a decision, a delivery or a verdict (13).
func (c Contracts) ReadLeaf(kind, value string) (leaf any) {
	refuse(Try(func() { leaf = c.Read(kind, value) }) != nil, "bad-decision")
	return leaf
}

// ReadRecord takes an entry, a policy or a signed head of the directory (15).
func (c Contracts) ReadRecord(grammar, value string) any {
	record := c.Read(grammar, value)
	following, fault := List(record, "successors"), len(List(record, "keys")) > 64 || len(List(record, "signatures")) > 16
	for i, one := range following {
		fault = fault || i >= 32 || Get(record, "ends_at") == nil || one == Get(record, "id") || slices.Contains(following[:i], one)
	}
	refuse(fault || (Text(record, "delivery", "kind") == "via") != (Get(record, "delivery", "agency") != nil), "malformed-envelope")
	return record
}

var prime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

func number(littleEndian string) *big.Int {
	digits := []byte(littleEndian)
	slices.Reverse(digits)
	return new(big.Int).SetBytes(digits)
}

// SigningKid is the key id of an Ed25519 key that is worth verifying with (5).
func SigningKid(public string) string {
	refuse(len(public) != 32, "malformed-key")
	y := number(public[:31] + string([]byte{public[31] & 0x7f}))
	refuse(y.Cmp(prime) >= 0, "malformed-key")
	small := []string{"0", "1", "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"}
	refuse(slices.Contains(small, y.Text(16)) || slices.Contains(small, new(big.Int).Sub(prime, y).Text(16)), "weak-key")
	return B64(Hash(`{"crv":"Ed25519","kty":"OKP","x":"` + B64(public) + `"}`))
}

// SealingKid is the key id of an X-Wing key (5).
func SealingKid(public string) string {
	refuse(len(public) != 1216 || number(public[1184:]).Cmp(prime) >= 0, "malformed-key")
	must(mlkem.NewEncapsulationKey768([]byte(public[:1184])))("malformed-key")
	return B64(Hash(`{"alg":"X-Wing","kty":"AKP","pub":"` + B64(public) + `"}`))
}

// parsed takes a signature apart (6). Its header is compared, and never parsed.
func parsed(text, typ string) (kid, header, signature string) {
	header, encoded, _ := strings.Cut(text, "..")
	start := `{"alg":"Ed25519","b64":false,"crit":["b64"],"kid":"`
	kid, _, _ = strings.Cut(strings.TrimPrefix(Unb64(header, -1, "malformed-signature"), start), `"`)
	refuse(header != B64(start+B64(Unb64(kid, 32, "malformed-signature"))+`","typ":"`+typ+`"}`), "malformed-signature")
	return kid, header, Unb64(encoded, 64, "malformed-signature")
}

// Signed is the key id in a signature.
func Signed(text, typ string) string { kid, _, _ := parsed(text, typ); return kid }

// Verify checks a signature (6).
func Verify(public, text, typ, payload string) {
	kid, header, signature := parsed(text, typ)
	refuse(kid != SigningKid(public), "bad-signature")
	refuse(!ed25519.Verify([]byte(public), []byte(header+"."+payload), []byte(signature)), "bad-signature")
}

// RootOf is the root that a path leads to (13).
func RootOf(leaf string, index, size uint64, path string) string {
	refuse(index >= size || len(leaf) != 32 || (size == 1) != (path == "") || size > 1 && len(path) < 32, "bad-decision")
	if size == 1 {
		return leaf
	}
	left, end := uint64(1)<<(bits.Len64(size-1)-1), max(0, len(path)-32)
	if index < left {
		return Hash("\x01" + RootOf(leaf, index, left, path[:end]) + path[end:])
	}
	return Hash("\x01" + path[end:] + RootOf(leaf, index-left, size-left, path[:end]))
}

// CheckProof tells that the router, whose key that is, signed a leaf (13).
func CheckProof(public, leaf, path, root, bus, partition string) {
	refuse(len(path) < 8, "bad-decision")
	place := binary.BigEndian.Uint64([]byte(path))
	size := place & 0xffffffff
	found := B64(RootOf(Hash("\x00"+leaf), place>>32, size, path[8:]))
	statement := fmt.Sprintf(`{"bus":"%s","partition":%s,"root":"%s","size":%d}`, bus, partition, found, size)
	refuse(Try(func() { Verify(public, root, decisionTyp, statement) }) != nil, "bad-decision")
}

// Root is that of a Merkle tree (13).
func Root(hashes []string) string {
	if len(hashes) == 1 {
		return hashes[0]
	}
	left := 1 << (bits.Len(uint(len(hashes)-1)) - 1)
	return Hash("\x01" + Root(hashes[:left]) + Root(hashes[left:]))
}

// CheckHead tells that enough of the pinned keys signed a head (15).
func CheckHead(trust, signed any) {
	refuse(Text(signed, "head", "bus") != Text(trust, "bus"), "wrong-bus")
	good, payload := map[string]bool{}, Canonical(Get(signed, "head"))
	for _, text := range List(signed, "signatures") {
		kid := Signed(text.(string), headTyp)
		for _, key := range List(trust, "keys") {
			if Text(key, "kid") == kid {
				Verify(Unb64(Text(key, "public"), 32, "malformed-key"), text.(string), headTyp, payload)
				good[kid] = true
			}
		}
	}
	refuse(len(good) < number10(Get(trust, "threshold")), "not-enough-signatures")
}

func number10(value any) int { found, _ := strconv.Atoi(fmt.Sprint(value)); return found }

// ReadDirectory puts the entries and the policy, by key, under a signed head, in place of the one in use, or nil, to be
// used at a time (15).
func (c Contracts) ReadDirectory(trust any, entries map[string]string, signed string, inUse any, at string) map[string]any {
	told := c.ReadRecord("directory-head", signed)
	CheckHead(trust, told)
	head, old := Get(told, "head"), Get(inUse, "head")
	if step := number10(Get(head, "version")) - number10(Get(old, "version")); old != nil {
		refuse(step < 0, "directory-stale")
		follows := step != 1 || Text(head, "previous") == B64(Hash(Canonical(old)))
		refuse(!follows || step == 0 && Canonical(head) != Canonical(old), "directory-forked")
	}
	hashes, found := []string{}, map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		hashes = append(hashes, Hash("\x00"+entries[key]))
	}
	refuse(len(entries) != number10(Get(head, "entries")) || B64(Root(hashes)) != Text(head, "root"), "directory-root")
	refuse(entries["@policy"] == "", "entry-vanished")
	refuse(at >= Text(head, "expires"), "directory-expired")
	for key, value := range entries {
		if key != "@policy" {
			found[key] = c.ReadRecord("directory-entry", value)
		}
	}
	return found
}

// EventKey is the key of an agency with which something admitted at a time may be signed (15).
func EventKey(directory map[string]any, agency, kid, at string) string {
	refuse(directory[agency] == nil, "unknown-sender")
	for _, key := range List(directory[agency], "keys") {
		if Text(key, "kid") == kid && Text(key, "use") == "event" {
			end := Text(key, "revoked_at")
			refuse(at < Text(key, "valid_from") || at >= Text(key, "valid_until") || end != "" && at >= end, "key-not-valid")
			return Unb64(Text(key, "public"), 32, "malformed-key")
		}
	}
	panic(Refusal("unknown-key"))
}

// CheckLeaf tells that the directory's router signed a leaf (13).
func CheckLeaf(directory map[string]any, leaf any, text, path, root string) {
	router := ""
	for name, entry := range directory {
		if slices.Contains(List(entry, "roles"), any("router")) {
			router = name
		}
	}
	public := EventKey(directory, router, Signed(root, decisionTyp), Text(leaf, "admitted"))
	CheckProof(public, text, path, root, Text(leaf, "bus"), fmt.Sprint(Get(leaf, "partition")))
}

// ReadDelivery checks a record of one's inbox by its headers, in the steps of 14, and gives its event, checked.
func (c Contracts) ReadDelivery(directory map[string]any, address, value string, headers map[string]string) any {
	refuse(len(headers) != 5 || headers["kind"] != "delivery", "unexpected-header")
	leaf := c.ReadLeaf("delivery", headers["delivery"])
	refuse(Text(leaf, "recipient") != address || Text(leaf, "event") != B64(Hash(value)), "bad-decision")
	CheckLeaf(directory, leaf, headers["delivery"], headers["path"], headers["root"])
	event, _ := c.ReadEvent(value)
	same := Text(event, "bus") == Text(leaf, "bus") && Text(event, "subject") == Text(leaf, "subject")
	refuse(!same || !slices.Contains(List(event, "data", "recipients"), any(address)), "bad-decision")
	key := EventKey(directory, Text(event, "source"), Signed(headers["signature"], eventTyp), Text(leaf, "admitted"))
	Verify(key, headers["signature"], eventTyp, value)
	return event
}

// Context is what section i of an event is bound to (7).
func Context(event any, i int) string {
	place := Text(event, "id")
	if Get(event, "data", "handoff") != nil {
		place = Text(event, "data", "handoff", "opening") + " " + Text(event, "data", "handoff", "recipient")
	}
	return LP("referral-bus/section", "1", Text(event, "bus"), Text(event, "id"), Text(event, "source"),
		Text(event, "subject"), place, fmt.Sprint("s", i))
}

// ContentKey opens the key of a section with a private key (7, steps 1 and 2). The event MUST have been checked.
func ContentKey(section any, ctx, address, secret string) string {
	refuse(len(secret) != 96, "malformed-key")
	pq := must(mlkem.NewDecapsulationKey768([]byte(secret[:64])))("malformed-key")
	classic := must(ecdh.X25519().NewPrivateKey([]byte(secret[64:])))("malformed-key")
	key := must(hpke.NewHybridPrivateKey(pq, classic))("malformed-key")
	kid := SealingKid(string(key.PublicKey().Bytes()))
	for _, reader := range List(section, "readers") {
		if Text(reader, "address") == address && Text(reader, "kid") == kid {
			enc := []byte(Unb64(Text(reader, "enc"), 1168, "malformed-section"))
			return string(must(hpke.Open(key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(ctx+LP(address, kid)), enc))("wrong-commitment"))
		}
	}
	panic(Refusal("not-a-reader"))
}

// derive makes of a content key the cipher, its nonce, the commitment, and what the content is bound to (7).
func derive(cek, ctx string, kids []string) (sealer cipher.AEAD, nonce []byte, commit string, bound []byte) {
	refuse(len(cek) != 32, "wrong-commitment")
	out := must(hkdf.Expand(sha256.New, []byte(cek), ctx, 76))("wrong-commitment")
	sealer = must(cipher.NewGCM(must(aes.NewCipher(out[:32]))("wrong-commitment")))("wrong-commitment")
	return sealer, out[32:44], string(out[44:]), []byte(ctx + Hash(LP(slices.Sorted(slices.Values(kids))...)))
}

// Open shows what a section said, by a content key that was opened or disclosed (7, steps 3 to 5).
func Open(section any, ctx, cek string) string {
	kids := []string{}
	for _, reader := range List(section, "readers") {
		kids = append(kids, Text(reader, "kid"))
	}
	sealer, nonce, commit, bound := derive(cek, ctx, kids)
	told := []byte(Unb64(Text(section, "commit"), -1, "malformed-section"))
	refuse(subtle.ConstantTimeCompare([]byte(commit), told) != 1, "wrong-commitment")
	sealed := []byte(Unb64(Text(section, "content"), -1, "malformed-section"))
	content := must(sealer.Open(nil, nonce, sealed, bound))("wrong-commitment")
	end := 4 + int(binary.BigEndian.Uint32(append(content, 0, 0, 0, 0)))
	refuse(end > len(content) || len(content) != Padded(end) || bytes.Trim(content[end:], "\x00") != nil, "malformed-section")
	return string(content[4:end])
}

// Padded is the size that so many bytes are padded to; 0 if they are too many (7).
func Padded(size int) int {
	if padded := max(1024, 1<<bits.Len(uint(size-1))); padded <= 131072 {
		return padded
	}
	return 0
}
