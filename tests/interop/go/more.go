package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"math/bits"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	bus "referral-bus/reader"
)

// What only who runs the bus, or who fills in forms, needs of SPEC, and the reader leaves out.

func readJSON(folder string, path ...string) (found any) {
	raw, err := os.ReadFile(filepath.Join(append([]string{folder}, path...)...))
	if err != nil || json.Unmarshal(raw, &found) != nil {
		return nil
	}
	return found
}

var escapes = regexp.MustCompile(`\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)`)

// canonical writes what JSON can say in its one spelling (2). Go escapes two line ends that JSON need not.
func canonical(value any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	refuse(encoder.Encode(value) != nil, "malformed-value")
	return strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029", "\n", "").Replace(out.String())
}

// readLeaf takes a leaf whose proof is not at hand (13).
func readLeaf(c bus.Contracts, kind, value string) (leaf any) {
	refuse(try(func() { leaf = c.Read(kind, value) }) != nil, "bad-decision")
	return leaf
}

// anyJSON reads JSON that need not be canonical (2).
func anyJSON(text string) (found any) {
	refuse(!json.Valid([]byte(text)) || !utf8.ValidString(text), "malformed-json")
	for _, escape := range escapes.FindAllString(text, -1) {
		refuse(len(escape) == 6, "malformed-json")
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	found = value(decoder, 0)
	_, err := decoder.Token()
	refuse(err != io.EOF, "malformed-json")
	return found
}

func value(decoder *json.Decoder, depth int) any {
	token, err := decoder.Token()
	refuse(err != nil, "malformed-json")
	switch told := token.(type) {
	case json.Number:
		size, err := told.Int64()
		refuse(err != nil || told == "-0" || size > 1<<53-1 || size < -(1<<53-1), "malformed-json")
	case json.Delim:
		refuse(depth == 32, "malformed-json")
		if told == '[' {
			list := []any{}
			for decoder.More() {
				list = append(list, value(decoder, depth+1))
			}
			decoder.Token()
			return list
		}
		members := object{}
		for decoder.More() {
			name := value(decoder, depth+1).(string)
			_, twice := members[name]
			refuse(twice, "malformed-json")
			members[name] = value(decoder, depth+1)
		}
		decoder.Token()
		return members
	}
	return token
}

// body reads a section's plaintext (8), and the schema of its form as far as to tell which members it knows.
func body(plaintext, contracts string) object {
	told, isObject := anyJSON(plaintext).(object)
	name, isText := told["schema"].(string)
	inner, isBody := told["body"].(object)
	refuse(!isObject || len(told) != 2 || !isText || !isBody, "malformed-section")
	parts := regexp.MustCompile(`\A([a-z][a-z0-9-]{0,62})/([1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\z`).FindStringSubmatch(name)
	refuse(parts == nil, "unknown-schema")
	schema := readJSON(contracts, "schemas", parts[1]+"-"+parts[2]+".json")
	refuse(schema == nil || bus.Get(schema, "properties", "schema") == nil, "unknown-schema")
	form := bus.Get(schema, "properties", "body")
	for _, needed := range bus.List(form, "required") {
		refuse(inner[needed.(string)] == nil, "malformed-section")
	}
	return object{"schema": name, "unknown": unknown(schema, form, inner, "")}
}

func unknown(schema, form, told any, path string) (found []string) {
	defer func() { slices.Sort(found) }()
	found = []string{}
	if ref := bus.Text(form, "$ref"); ref != "" {
		return unknown(schema, bus.Get(schema, "$defs", strings.TrimPrefix(ref, "#/$defs/")), told, path)
	}
	for _, option := range bus.List(form, "anyOf") {
		if bus.Text(option, "$ref") != "" || bus.Text(option, "type") == "array" {
			return unknown(schema, option, told, path)
		}
	}
	if items, isList := told.([]any); isList {
		for i, item := range items {
			found = append(found, unknown(schema, bus.Get(form, "items"), item, path+strconv.Itoa(i)+".")...)
		}
	}
	members, isObject := told.(object)
	known, isForm := bus.Get(form, "properties").(object)
	for name := range members {
		if inner, isKnown := known[name]; isKnown && isObject {
			found = append(found, unknown(schema, inner, members[name], path+name+".")...)
		} else if isForm {
			found = append(found, path+name)
		}
	}
	return found
}

func trustRoot(text string) {
	told, isObject := plain(text).(object)
	threshold, isNumber := told["threshold"].(float64)
	refuse(!isObject || !isNumber || len(told) != 3, "malformed-value")
	refuse(!regexp.MustCompile(`\A[a-z0-9-]{1,63}\z`).MatchString(bus.Text(told, "bus")), "malformed-value")
	kids := map[string]bool{}
	for _, key := range bus.List(told, "keys") {
		members, isKey := key.(object)
		refuse(!isKey || len(members) != 2 || members["kid"] == nil || members["public"] == nil, "malformed-value")
		public := bus.Unb64(bus.Text(key, "public"), 32, "malformed-value")
		admit(public)
		refuse(kids[bus.Text(key, "kid")] || bus.SigningKid(public) != bus.Text(key, "kid"), "malformed-key")
		kids[bus.Text(key, "kid")] = true
	}
	refuse(threshold != float64(int(threshold)) || threshold < 1 || int(threshold) > len(kids), "malformed-value")
}

func plain(text string) (found any) {
	refuse(json.Unmarshal([]byte(text), &found) != nil || !utf8.ValidString(text), "malformed-value")
	return found
}

func policy(c bus.Contracts, text string) {
	told := c.ReadRecord("directory-policy", text)
	number := func(name string) int64 { return whole(bus.Get(told, name)) }
	refuse(number("keep_closed_ms") < 3*number("window_ms"), "malformed-envelope")
	last := ""
	for _, outage := range bus.List(told, "outages") {
		since, until := bus.Text(outage, "since"), bus.Text(outage, "until")
		refuse(since <= last || until <= since, "malformed-envelope")
		last = until
	}
}

// millis reads a time that exists (2).
func millis(text string) int64 {
	const moment = "2006-01-02T15:04:05.000Z"
	found, err := time.Parse(moment, text)
	refuse(err != nil || found.Format(moment) != text || found.Year() < 1, "malformed-value")
	return found.UnixMilli()
}

// pathTo is the inclusion path of leaf i (13).
func pathTo(i int, hashes []string) string {
	if len(hashes) == 1 {
		return ""
	}
	left := 1 << (bits.Len(uint(len(hashes)-1)) - 1)
	if i < left {
		return pathTo(i, hashes[:left]) + bus.Root(hashes[left:])
	}
	return pathTo(i-left, hashes[left:]) + bus.Root(hashes[:left])
}

// murmur2 is the hash by which Kafka's own client chooses a partition (11).
func murmur2(data string) uint32 {
	const m = 0x5bd1e995
	h, rest := uint32(0x9747b28c)^uint32(len(data)), []byte(data)
	for ; len(rest) >= 4; rest = rest[4:] {
		k := binary.LittleEndian.Uint32(rest) * m
		h = h*m ^ (k^k>>24)*m
	}
	if len(rest) > 0 {
		h = (h ^ binary.LittleEndian.Uint32(append(bytes.Clone(rest), make([]byte, 4-len(rest))...))) * m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}

// admit takes a signing key that somebody presents: a point of prime order (5).
func admit(public string) {
	bus.SigningKid(public)
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	l, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	mod := func(n *big.Int) *big.Int { return n.Mod(n, p) }
	mul := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Mul(a, b)) }
	add := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Add(a, b)) }
	sub := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Sub(a, b)) }
	inverse := func(a *big.Int) *big.Int { return new(big.Int).ModInverse(a, p) }
	one := big.NewInt(1)
	d := mul(sub(big.NewInt(0), big.NewInt(121665)), inverse(big.NewInt(121666)))
	reversed := make([]byte, 32)
	for i := range reversed {
		reversed[31-i] = public[i]
	}
	reversed[0] &= 0x7f
	y := new(big.Int).SetBytes(reversed)
	x := new(big.Int).ModSqrt(mul(sub(mul(y, y), one), inverse(add(mul(d, mul(y, y)), one))), p)
	refuse(x == nil, "malformed-key")
	type point struct{ x, y *big.Int }
	plus := func(a, b point) point {
		k := mul(d, mul(mul(a.x, b.x), mul(a.y, b.y)))
		return point{
			mul(add(mul(a.x, b.y), mul(a.y, b.x)), inverse(add(one, k))),
			mul(add(mul(a.y, b.y), mul(a.x, b.x)), inverse(sub(one, k))),
		}
	}
	product, addend := point{big.NewInt(0), one}, point{x, y}
	for i := 0; i < l.BitLen(); i++ {
		if l.Bit(i) == 1 {
			product = plus(product, addend)
		}
		addend = plus(addend, addend)
	}
	refuse(product.x.Sign() != 0 || product.y.Cmp(one) != 0, "weak-key")
}

// admitSealing takes a sealing key that somebody presents, after a trial seal (5).
func admitSealing(public string) string {
	kid := bus.SealingKid(public)
	sealed := try(func() { bus.Seal("", map[string]string{"a": public}, "") })
	refuse(sealed != nil, "weak-key")
	return kid
}

// life reads section 1's story: a directory by its trust root, and every record by the directory.
func founded(c bus.Contracts, v object) bus.Directory {
	trustRoot(canonical(v["trust_root"]))
	change := plain(octets(bus.Get(v, "change", "value")))
	entries := map[string]string{"@policy": canonical(bus.Get(change, "data", "policy"))}
	for _, entry := range bus.List(change, "data", "agencies") {
		entries[bus.Text(entry, "id")] = canonical(entry)
	}
	return c.ReadDirectory(v["trust_root"], entries, canonical(bus.Get(change, "data", "head")), nil, bus.Text(change, "time"))
}

func life(c bus.Contracts, v object) object {
	directory := founded(c, v)
	submissions := bus.List(v, "submissions")
	for _, said := range submissions {
		event, verb := c.ReadEvent(octets(bus.Get(said, "value")))
		id, source := bus.Text(event, "id"), bus.Text(event, "source")
		refuse(verb == "case.opened" && bus.Text(event, "subject") != bus.Pseudonym(bus.Text(v, "bus"), source, id), "wrong-subject")
		for i, section := range bus.List(event, "data", "sections") {
			for _, reader := range bus.List(section, "readers") {
				address := bus.Text(reader, "address")
				secret := bus.Unb64(bus.Text(v, "keys", address, "sealing"), 96, "malformed-key")
				said := octets(bus.List(said, "plaintexts")[i])
				cek := bus.ContentKey(section, bus.Context(event, i), address, secret)
				refuse(bus.Open(section, bus.Context(event, i), cek) != said, "malformed-section")
			}
		}
	}
	for _, record := range bus.List(v, "records") {
		lifeRecord(c, v, directory, record)
	}
	return object{"records": v["records"]}
}

func lifeRecord(c bus.Contracts, v object, directory bus.Directory, record any) {
	headers, value := map[string]string{}, octets(bus.Get(record, "value"))
	for _, pair := range bus.List(record, "headers") {
		headers[pair.([]any)[0].(string)] = octets(pair.([]any)[1])
	}
	if number, found := bus.Get(record, "value", "submission").(float64); found {
		value = octets(bus.Get(bus.List(v, "submissions")[int(number)], "value"))
	}
	switch headers["kind"] {
	case "delivery":
		c.ReadDelivery(directory, strings.TrimPrefix(bus.Text(record, "topic"), "inbox."), value, headers)
	case "verdict":
		c.ReadLeaf(directory, "verdict", value, headers["path"], headers["root"])
	default:
		refuse(headers["kind"] != "event" && len(headers) > 0, "unexpected-header")
		if len(headers) == 0 {
			return
		}
		leaf := c.ReadLeaf(directory, "decision", headers["decision"], headers["path"], headers["root"])
		refuse(fmt.Sprint(bus.Get(record, "partition")) != fmt.Sprint(bus.Get(leaf, "partition")), "bad-decision")
		refuse(value != "" && bus.Text(leaf, "event") != bus.B64(bus.Hash(value)), "bad-decision")
	}
}

// submission is section 12 as far as a reader sees it: what the bus wrote is the router's, over its bytes, and says why.
func submission(c bus.Contracts, story, v object) object {
	directory, said := founded(c, story), v["submission"].(object)
	told := object{"submissions": []any{said}}
	code, event := "", bus.B64(bus.Hash(octets(said["value"])))
	for _, record := range bus.List(v, "records") {
		lifeRecord(c, told, directory, record)
		headers := map[string]string{}
		for _, pair := range bus.List(record, "headers") {
			headers[pair.([]any)[0].(string)] = octets(pair.([]any)[1])
		}
		var leaf any
		switch headers["kind"] {
		case "event":
			leaf = readLeaf(c, "decision", headers["decision"])
			code = bus.Text(leaf, "code")
			placed := fmt.Sprint(said["offset"], said["stamp"]) == fmt.Sprint(bus.Get(leaf, "offset"), bus.Get(leaf, "stamp"))
			refuse(!placed, "bad-decision")
		case "verdict":
			leaf = readLeaf(c, "verdict", octets(bus.Get(record, "value")))
		default:
			continue
		}
		refuse(bus.Text(leaf, "code") != code || bus.Text(leaf, "event") != event, "bad-decision")
	}
	refuse(code != "accepted", code)
	return object{}
}
