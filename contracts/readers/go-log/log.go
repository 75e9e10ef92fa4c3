// Package referralbuslog reads what the log of referral-bus publishes and proves, with Go's standard library alone:
// checkpoints, cosignatures, proofs, receipts, policies. It was made from ../../SPEC.md, section 22, and from C2SP's texts.
// Bytes are strings; what is refused is thrown, as the reader of events does.
package referralbuslog

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	bus "referral-bus/reader"
)

func refuse(fault bool, code string) {
	if fault {
		panic(bus.Refusal(code))
	}
}

const logType, witnessType = 1, 4

var nothing = bus.Hash("")

func std64(text, code string) string {
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	refuse(err != nil || strings.ContainsAny(text, "\r\n"), code)
	return string(data)
}

// Hash64 takes a hash in the base64 of RFC 4648 section 4, Size the size of a tree.
func Hash64(text, code string) string {
	data := std64(text, code)
	refuse(len(data) != 32, code)
	return data
}

func Size(text, code string) uint64 {
	found, err := strconv.ParseUint(text, 10, 63)
	refuse(err != nil || strconv.FormatUint(found, 10) != text, code)
	return found
}

// Key is a named public key (c2sp.org/signed-note).
type Key struct {
	Name, ID, Public string
	Type             byte
}

var vkeys = regexp.MustCompile(`^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$`)

func isName(name string) bool {
	wrong := func(r rune) bool { return unicode.IsSpace(r) || r == '+' || r < 0x20 }
	return name != "" && utf8.ValidString(name) && !strings.ContainsFunc(name, wrong)
}

// ReadKey takes a vkey.
func ReadKey(vkey string) Key {
	match := vkeys.FindStringSubmatch(vkey)
	refuse(match == nil || !isName(match[1]), "malformed-key")
	material := std64(match[3], "malformed-key")
	refuse(material[0] != logType && material[0] != witnessType, "malformed-key")
	bus.SigningKid(material[1:])
	id := fmt.Sprintf("%x", bus.Hash(match[1] + "\n" + material)[:4])
	refuse(id != match[2], "malformed-key")
	return Key{match[1], id, material[1:], material[0]}
}

func (k Key) signs(text, raw string) bool {
	if k.Type == logType {
		return len(raw) == 64 && ed25519.Verify([]byte(k.Public), []byte(text), []byte(raw))
	}
	if len(raw) != 72 {
		return false
	}
	time := binary.BigEndian.Uint64([]byte(raw))
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)
	return time > 0 && time <= math.MaxInt64 && ed25519.Verify([]byte(k.Public), []byte(message), []byte(raw[8:]))
}

// Signature is a line of a note.
type Signature struct{ Name, ID, Raw string }

func (s Signature) isBy(k Key) bool { return s.Name == k.Name && s.ID == k.ID }

// ReadSignatures takes signature lines, each with its end.
func ReadSignatures(lines string) (found []Signature) {
	each := strings.Split(lines, "\n")
	refuse(each[len(each)-1] != "" || len(each) < 2 || len(each) > 101, "bad-note")
	for _, line := range each[:len(each)-1] {
		name, told, space := strings.Cut(strings.TrimPrefix(line, "\u2014 "), " ")
		refuse(!strings.HasPrefix(line, "\u2014 ") || !space || !isName(name), "bad-note")
		data := std64(told, "bad-note")
		refuse(len(data) < 5, "bad-note")
		found = append(found, Signature{name, fmt.Sprintf("%x", data[:4]), data[4:]})
	}
	return found
}

// ReadNote takes a note apart; no signature is looked at.
func ReadNote(note string) (text string, signatures []Signature) {
	control := func(r rune) bool { return r < 0x20 && r != '\n' }
	end := strings.LastIndex(note, "\n\n")
	refuse(len(note) > 262144 || !utf8.ValidString(note) || end < 0 || strings.ContainsFunc(note, control), "bad-note")
	return note[:end+1], ReadSignatures(note[end+2:])
}

// OpenNote takes a note that a known key signed; what known keys signed holds.
func OpenNote(note string, keys []Key) (text string, by []Key) {
	text, signatures := ReadNote(note)
	for _, signature := range signatures {
		i := slices.IndexFunc(keys, signature.isBy)
		if i < 0 || slices.Contains(by, keys[i]) {
			continue
		}
		refuse(!keys[i].signs(text, signature.Raw), "bad-signature")
		by = append(by, keys[i])
	}
	refuse(len(by) == 0, "bad-signature")
	return text, by
}

// Checkpoint is the state of a log at one size (c2sp.org/tlog-checkpoint).
type Checkpoint struct {
	Origin, Root string
	Size         uint64
	more         bool
}

// ReadCheckpoint takes a note's text.
func ReadCheckpoint(text string) Checkpoint {
	lines := strings.Split(text, "\n")
	last := len(lines) - 1
	refuse(last < 3 || lines[last] != "" || slices.Contains(lines[:last], ""), "bad-checkpoint")
	return Checkpoint{lines[0], Hash64(lines[2], "bad-checkpoint"), Size(lines[1], "bad-checkpoint"), last > 3}
}

func checkpointOf(text string, by []Key, key Key) Checkpoint {
	refuse(!slices.Contains(by, key), "bad-signature")
	found := ReadCheckpoint(text)
	refuse(found.Origin != key.Name || found.more || found.Size == 0 && found.Root != nothing, "bad-checkpoint")
	return found
}

// OpenCheckpoint takes a checkpoint that the log with this key signed.
func OpenCheckpoint(note string, key Key) Checkpoint {
	text, by := OpenNote(note, []Key{key})
	return checkpointOf(text, by, key)
}

// ReadCosignature gives when a witness cosigned a checkpoint (c2sp.org/tlog-cosignature).
func ReadCosignature(text, line string, witness Key) uint64 {
	found := ReadSignatures(line + "\n")
	wrong := len(found) != 1 || witness.Type != witnessType || !found[0].isBy(witness)
	refuse(wrong || !witness.signs(text, found[0].Raw), "bad-signature")
	return binary.BigEndian.Uint64([]byte(found[0].Raw))
}

func pair(left, right string) string { return bus.Hash("\x01" + left + right) }

func demandHashes(hashes ...string) {
	refuse(slices.ContainsFunc(hashes, func(one string) bool { return len(one) != 32 }), "bad-proof")
}

// climb goes up a path, and gives what it came to where the tree goes on to the right, and where it does not.
func climb(node, last uint64, from string, path []string) (before, after string) {
	before, after = from, from
	for _, sibling := range path {
		refuse(last == 0, "bad-proof")
		if node&1 == 1 || node == last {
			before, after = pair(sibling, before), pair(sibling, after)
			for ; node&1 == 0 && node != 0; node >>= 1 {
				last >>= 1
			}
		} else {
			after = pair(after, sibling)
		}
		node, last = node>>1, last>>1
	}
	refuse(last != 0, "bad-proof")
	return before, after
}

// CheckInclusion holds a proof against a root (RFC 9162 section 2.1.3.2).
func CheckInclusion(leaf string, index, total uint64, root string, proof []string) {
	demandHashes(append([]string{leaf, root}, proof...)...)
	refuse(index >= total, "bad-proof")
	_, found := climb(index, total-1, leaf, proof)
	refuse(found != root, "bad-proof")
}

// CheckConsistency holds a proof against two roots (RFC 9162 section 2.1.4.2).
func CheckConsistency(old uint64, oldRoot string, total uint64, root string, proof []string) {
	demandHashes(append([]string{oldRoot, root}, proof...)...)
	refuse(total < old, "log-rollback")
	if old == 0 || old == total {
		refuse(len(proof) > 0 || old == 0 && oldRoot != nothing || total == 0 && root != nothing, "bad-proof")
		refuse(old == total && oldRoot != root, "log-fork")
		return
	}
	if old&(old-1) == 0 {
		proof = append([]string{oldRoot}, proof...)
	}
	refuse(len(proof) == 0, "bad-proof")
	height := bits.TrailingZeros64(old)
	before, after := climb(old>>height-1, (total-1)>>height, proof[0], proof[1:])
	refuse(before != oldRoot || after != root, "bad-proof")
}

func parts(data string, count int, code string) (found []string) {
	for range count {
		refuse(len(data) < 4, code)
		length := uint64(binary.BigEndian.Uint32([]byte(data[:4])))
		refuse(uint64(len(data)) < 4+length, code)
		found, data = append(found, data[4:4+length]), data[4+length:]
	}
	refuse(data != "", code)
	return found
}

// ReadRecord takes what a leaf is of: an event with its decision, or a statement with its signatures.
func ReadRecord(record string) (value, decision string, signatures []string) {
	told := parts(record, 5, "malformed-record")
	if !slices.Contains(told[2:], "") {
		return told[1], told[2], nil
	}
	signatures = strings.Split(told[0], "\n")
	wrong := strings.Join(told[2:], "") != "" || told[1] == "" || slices.Contains(signatures, "") || len(signatures) > 2
	refuse(wrong, "malformed-record")
	return told[1], "", signatures
}

// EntryOf is what the published tree has of a record; LeafOf the hash of an entry's leaf.
func EntryOf(salt, record string) string { return bus.Hash("referral-bus-leaf/v1\n" + salt + record) }
func LeafOf(entry string) string         { return bus.Hash("\x00" + entry) }

// Policy is whose checkpoints are taken, and who must have seen them (c2sp.org/tlog-policy).
type Policy struct {
	logs   []Key
	named  []member
	quorum string
}

// member is a witness, with its key, or a group: so many of these.
type member struct {
	name  string
	key   Key
	least int
	those []string
}

var counts, strange = regexp.MustCompile(`^[1-9][0-9]{0,3}$`), regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f]`)

func (p *Policy) find(name string) int {
	return slices.IndexFunc(p.named, func(one member) bool { return one.name == name })
}

func (p *Policy) take(word string, rest []string, key func(string, byte) Key) {
	bad := func(fault bool) { refuse(fault, "bad-log-policy") }
	var found member
	switch word {
	case "log":
		bad(len(rest) != 1 && len(rest) != 2)
		p.logs = append(p.logs, key(rest[0], logType))
		return
	case "quorum":
		bad(p.quorum != "" || len(rest) != 1 || rest[0] != "none" && p.find(rest[0]) < 0)
		p.quorum = rest[0]
		return
	case "witness":
		bad(len(rest) != 2 && len(rest) != 3)
		found = member{name: rest[0], key: key(rest[1], witnessType)}
	case "group":
		bad(len(rest) < 3)
		found = member{name: rest[0], those: rest[2:]}
		found.least = map[string]int{"all": len(found.those), "any": 1}[rest[1]]
		if counts.MatchString(rest[1]) {
			found.least, _ = strconv.Atoi(rest[1])
		}
		bad(found.least < 1 || found.least > len(found.those))
		for i, one := range found.those {
			taken := slices.ContainsFunc(p.named, func(other member) bool { return slices.Contains(other.those, one) })
			bad(p.find(one) < 0 || taken || slices.Contains(found.those[:i], one))
		}
	default:
		bad(true)
	}
	bad(found.name == "none" || p.find(found.name) >= 0)
	p.named = append(p.named, found)
}

// ReadPolicy takes a policy's text.
func ReadPolicy(value string) (p Policy) {
	publics := map[string]bool{}
	key := func(vkey string, kind byte) (found Key) {
		defer func() { refuse(recover() != nil, "bad-log-policy") }()
		found = ReadKey(vkey)
		refuse(found.Type != kind || publics[found.Public], "bad-log-policy")
		publics[found.Public] = true
		return found
	}
	lines := strings.Split(value, "\n")
	refuse(strange.MatchString(value) || len(lines) > 1024, "bad-log-policy")
	for _, line := range lines {
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
		if len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			p.take(words[0], words[1:], key)
		}
	}
	refuse(p.quorum == "" || len(p.logs) == 0, "bad-log-policy")
	return p
}

// Check gives the checkpoint in a note of a log of this policy, which of its witnesses cosigned it, and whether they are enough.
func (p Policy) Check(note string) (found Checkpoint, witnesses []string, quorum bool) {
	keys := slices.Clone(p.logs)
	for _, one := range p.named {
		keys = append(keys, one.key) // a group's is nobody's
	}
	text, by := OpenNote(note, keys)
	i := slices.IndexFunc(p.logs, func(one Key) bool { return slices.Contains(by, one) })
	refuse(i < 0, "bad-signature")
	witnesses, reached := []string{}, map[string]bool{"none": true}
	for _, one := range p.named {
		missing := slices.DeleteFunc(slices.Clone(one.those), func(name string) bool { return reached[name] })
		reached[one.name] = one.those != nil && len(one.those)-len(missing) >= one.least
		if slices.Contains(by, one.key) {
			witnesses, reached[one.name] = append(witnesses, one.name), true
		}
	}
	return checkpointOf(text, by, p.logs[i]), witnesses, reached[p.quorum]
}

var receipts = regexp.MustCompile(`(?s)^c2sp\.org/tlog-proof@v1\n(?:extra ([A-Za-z0-9+/=]+)\n)?index ([0-9]+)\n((?:[A-Za-z0-9+/=]+\n)*)\n(.+)$`)

// CheckReceipt gives what a receipt proves of an event (c2sp.org/tlog-proof): where its decision is in the log, and under what.
func CheckReceipt(receipt, signature, value string, p Policy) (index uint64, decision string, found Checkpoint, witnessed bool) {
	match := receipts.FindStringSubmatch(receipt)
	refuse(len(receipt) > 262144+32768 || match == nil, "bad-proof")
	index = Size(match[2], "bad-proof")
	path := []string{}
	for line := range strings.Lines(match[3]) {
		path = append(path, Hash64(strings.TrimSuffix(line, "\n"), "bad-proof"))
	}
	extra := std64(match[1], "bad-proof")
	refuse(len(path) > 63 || len(extra) > 16384 || len(extra) < 32, "bad-proof")
	opened := parts(extra[32:], 3, "bad-proof")
	found, _, witnessed = p.Check(match[4])
	entry := EntryOf(extra[:32], bus.LP(append([]string{signature, value}, opened...)...))
	CheckInclusion(LeafOf(entry), index, found.Size, found.Root, path)
	var told any
	refuse(json.Unmarshal([]byte(opened[0]), &told) != nil, "bad-decision")
	refuse(bus.Text(told, "event") != bus.B64(bus.Hash(value)), "bad-proof")
	return index, bus.Hash("\x00" + opened[0]), found, witnessed
}
