// Reader checks test vectors of referral-bus with nothing but Go's standard library: envelopes, signatures, sealed
// sections, decisions. It was written from SPEC.md; the numbers in comments are the sections there.
//
//	go run . ../../vectors
//
// A line for each vector that comes out otherwise than it says, then "N passed, N failed". Kinds it does not read
// (directory, lifecycle tables, forms) are counted as left out.
package main

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
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A refusal is a code of SPEC section 12.
type refusal string

func (r refusal) Error() string { return string(r) }

// Bin is binary in a vector: {"utf8": …}, {"base64url": …} or plain base64url.
type Bin []byte

func (b *Bin) UnmarshalJSON(raw []byte) (err error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*b, err = unb64(text, -1)
		return err
	}
	var told struct {
		UTF8      *string `json:"utf8"`
		Base64URL *string `json:"base64url"`
		Times     *int    `json:"times"`
	}
	if err = strict(raw, &told); err != nil {
		return err
	}
	if told.UTF8 != nil {
		*b = []byte(*told.UTF8)
		if told.Times != nil {
			*b = bytes.Repeat(*b, *told.Times)
		}
		return nil
	}
	if told.Base64URL == nil {
		return errors.New("binary in no known form")
	}
	*b, err = unb64(*told.Base64URL, -1)
	return err
}

type sectionContext struct {
	Bus     string      `json:"bus"`
	ID      string      `json:"id"`
	Source  string      `json:"source"`
	Subject string      `json:"subject"`
	Handoff *handoffKey `json:"handoff"`
	Section string      `json:"section"`
}

func strict(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// 2: one spelling. Go's decoder would skip line ends.
func unb64(text string, size int) ([]byte, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || size >= 0 && len(data) != size {
		return nil, refusal("malformed-value")
	}
	return data, nil
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func lp(parts ...[]byte) (out []byte) {
	for _, part := range parts {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(part))), part...)
	}
	return out
}

// 4: the name of a case.
func pseudonym(bus, source, id string) string {
	sum := sha256.Sum256(lp([]byte("referral-bus/v1/case"), []byte(bus), []byte(source), []byte(id)))
	return hex.EncodeToString(sum[:16])
}

// 5: key ids.
func signingKid(public []byte) string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + b64(public) + `"}`))
	return b64(sum[:])
}

func sealingKid(public []byte) string {
	sum := sha256.Sum256([]byte(`{"alg":"X-Wing","kty":"AKP","pub":"` + b64(public) + `"}`))
	return b64(sum[:])
}

// 6: signatures. The header is compared, never parsed.
func checkSignature(public, text []byte, typ string, payload []byte) error {
	protected, encoded, found := strings.Cut(string(text), "..")
	header, err := unb64(protected, -1)
	if !found || err != nil {
		return refusal("malformed-signature")
	}
	head, tail := `{"alg":"Ed25519","b64":false,"crit":["b64"],"kid":"`, `","typ":"`+typ+`"}`
	kid := strings.TrimSuffix(strings.TrimPrefix(string(header), head), tail)
	if _, err = unb64(kid, 32); err != nil || string(header) != head+kid+tail {
		return refusal("malformed-signature")
	}
	signature, err := unb64(encoded, ed25519.SignatureSize)
	if err != nil {
		return refusal("malformed-signature")
	}
	if kid != signingKid(public) || !ed25519.Verify(public, append([]byte(protected+"."), payload...), signature) {
		return refusal("bad-signature")
	}
	return nil
}

// 7: what a section is bound to.
func (c sectionContext) bytes() []byte {
	place := c.ID
	if c.Handoff != nil {
		place = c.Handoff.Opening + " " + c.Handoff.Recipient
	}
	parts := [][]byte{[]byte("referral-bus/section"), []byte("1")}
	for _, part := range []string{c.Bus, c.ID, c.Source, c.Subject, place, c.Section} {
		parts = append(parts, []byte(part))
	}
	return lp(parts...)
}

// 7: open a section with a private key; steps 1 and 2.
func contentKey(section section, context sectionContext, address string, secret []byte) ([]byte, error) {
	if len(secret) != 96 {
		return nil, refusal("malformed-key")
	}
	pq, err := mlkem.NewDecapsulationKey768(secret[:64])
	if err != nil {
		return nil, refusal("malformed-key")
	}
	classic, err := ecdh.X25519().NewPrivateKey(secret[64:])
	if err != nil {
		return nil, refusal("malformed-key")
	}
	kid := sealingKid(append(pq.EncapsulationKey().Bytes(), classic.PublicKey().Bytes()...))
	for _, reader := range section.Readers {
		if reader.Address != address || reader.Kid != kid {
			continue
		}
		key, err := hpke.NewHybridPrivateKey(pq, classic)
		if err != nil {
			return nil, refusal("malformed-key")
		}
		enc, err := unb64(reader.Enc, 1168)
		if err != nil {
			return nil, refusal("malformed-section")
		}
		info := append(context.bytes(), lp([]byte(address), []byte(kid))...)
		cek, err := hpke.Open(key, hpke.HKDFSHA256(), hpke.AES256GCM(), info, enc)
		if err != nil || len(cek) != 32 {
			return nil, refusal("wrong-commitment")
		}
		return cek, nil
	}
	return nil, refusal("not-a-reader")
}

// 7: steps 3 to 5, which need no private key.
func openSection(section section, context sectionContext, cek []byte) ([]byte, error) {
	commit, errCommit := unb64(section.Commit, 32)
	content, errContent := unb64(section.Content, -1)
	if errCommit != nil || errContent != nil {
		return nil, refusal("malformed-section")
	}
	if len(cek) != 32 {
		return nil, refusal("wrong-commitment")
	}
	ctx := context.bytes()
	derived, err := hkdf.Expand(sha256.New, cek, string(ctx), 76)
	if err != nil || subtle.ConstantTimeCompare(derived[44:], commit) != 1 {
		return nil, refusal("wrong-commitment")
	}
	var kids [][]byte
	for _, reader := range section.Readers {
		kids = append(kids, []byte(reader.Kid))
	}
	slices.SortFunc(kids, bytes.Compare)
	bound := sha256.Sum256(lp(kids...))
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	padded, err := gcm.Open(nil, derived[32:44], content, append(ctx, bound[:]...))
	if err != nil {
		return nil, refusal("wrong-commitment")
	}
	return unpad(padded)
}

func unpad(padded []byte) ([]byte, error) {
	if len(padded) < 1024 {
		return nil, refusal("malformed-section")
	}
	length := uint64(binary.BigEndian.Uint32(padded))
	smallest := uint64(1024)
	for smallest < 4+length {
		smallest *= 2
	}
	if smallest != uint64(len(padded)) || len(bytes.Trim(padded[4+length:], "\x00")) != 0 {
		return nil, refusal("malformed-section")
	}
	return padded[4 : 4+length], nil
}

// 13: the root that a path leads to (RFC 9162 section 2.1.3.2).
func rootFromPath(leaf []byte, index, size int, path []byte) ([]byte, error) {
	if index < 0 || index >= size || len(path)%32 != 0 || len(leaf) != 32 {
		return nil, refusal("bad-decision")
	}
	node, last, found := index, size-1, leaf
	for ; len(path) > 0; path = path[32:] {
		if last == 0 {
			return nil, refusal("bad-decision")
		}
		if node&1 == 1 || node == last {
			found = nodeHash(path[:32], found)
			for node&1 == 0 && node != 0 {
				node, last = node>>1, last>>1
			}
		} else {
			found = nodeHash(found, path[:32])
		}
		node, last = node>>1, last>>1
	}
	if last != 0 {
		return nil, refusal("bad-decision")
	}
	return found, nil
}

func nodeHash(left, right []byte) []byte {
	sum := sha256.Sum256(slices.Concat([]byte{1}, left, right))
	return sum[:]
}

// 13: did the router sign this leaf?
func checkProof(leaf, path, root []byte, bus string, partition int, public []byte) error {
	if len(path) < 8 {
		return refusal("bad-decision")
	}
	index, size := int(binary.BigEndian.Uint32(path)), int(binary.BigEndian.Uint32(path[4:]))
	hash := sha256.Sum256(append([]byte{0}, leaf...))
	computed, err := rootFromPath(hash[:], index, size, path[8:])
	if err != nil {
		return err
	}
	statement := fmt.Sprintf(`{"bus":"%s","partition":%d,"root":"%s","size":%d}`, bus, partition, b64(computed), size)
	if checkSignature(public, root, "referral-bus-decision+jws", []byte(statement)) != nil {
		return refusal("bad-decision")
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: reader VECTORS")
		os.Exit(2)
	}
	if err := readVerbs(filepath.Join(os.Args[1], "..", "lifecycle.json")); err != nil {
		fmt.Fprintln(os.Stderr, "reader:", err)
		os.Exit(2)
	}
	files, _ := filepath.Glob(filepath.Join(os.Args[1], "*.json"))
	passed, failed, left := 0, 0, 0
	for _, file := range files {
		switch known, err := runVector(file); {
		case !known && err == nil:
			left++
		case err != nil:
			failed++
			fmt.Printf("%s: %v\n", filepath.Base(file), err)
		default:
			passed++
		}
	}
	fmt.Printf("%d left out\n%d passed, %d failed\n", left, passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}
