// The vectors of contracts/vectors whose formats golang.org/x/mod reads, a line of JSON each: what came, or that it was
// refused. It tells no codes: those are not its own.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type octets struct {
	Utf8      string
	Times     *int
	Base64url string
}

func (o octets) bytes() []byte {
	if o.Base64url != "" {
		return must(base64.RawURLEncoding.DecodeString(o.Base64url))
	}
	if o.Times != nil {
		return []byte(strings.Repeat(o.Utf8, *o.Times))
	}
	return []byte(o.Utf8)
}

type vector struct {
	Kind               string
	Record, Note, Line octets
	Salt, Vkey, Text   string
	Old, New           int64
	OldRoot            string `json:"old_root"`
	NewRoot            string `json:"new_root"`
	Leaf, Root         string
	Index, Size        int64
	Proof              []string
}

var refused = errors.New("refused")

func hash(text string) (found tlog.Hash) {
	copy(found[:], must(base64.RawURLEncoding.DecodeString(text)))
	return found
}

func path(texts []string) (found []tlog.Hash) {
	for _, text := range texts {
		found = append(found, hash(text))
	}
	return found
}

// verifier returns the verifier of a vkey: x/mod's own, or of a witness.
func verifier(vkey string) (note.Verifier, int, error) {
	found, err := note.NewVerifier(vkey)
	if err == nil {
		return found, 1, nil
	}
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, 0, refused
	}
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(material) != 33 || material[0] != 4 {
		return nil, 0, refused
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	if hex.EncodeToString(sum[:4]) != parts[1] {
		return nil, 0, refused
	}
	return witness{parts[0], binary.BigEndian.Uint32(sum[:]), material[1:]}, 4, nil
}

// witness verifies the cosignatures of c2sp.org/tlog-cosignature, which x/mod leaves to others.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }

func (w witness) Verify(text, signature []byte) bool {
	if len(signature) != 72 || binary.BigEndian.Uint64(signature) == 0 {
		return false
	}
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(signature), text)
	return ed25519.Verify(w.key, []byte(message), signature[8:])
}

func leaf(v vector) (any, error) {
	record := v.Record.bytes()
	empty := ""
	for at, part := 0, 0; ; part++ {
		if part == 5 {
			if at != len(record) || !strings.Contains("11111 01111 00111 11000", empty) {
				return nil, refused
			}
			break
		}
		if at+4 > len(record) {
			return nil, refused
		}
		size := int(binary.BigEndian.Uint32(record[at:]))
		empty += strconv.Itoa(min(size, 1))
		at += 4 + size
	}
	data := append([]byte("referral-bus-leaf/v1\n"), must(base64.RawURLEncoding.DecodeString(v.Salt))...)
	entry := sha256.Sum256(append(data, record...))
	leaf := tlog.RecordHash(entry[:])
	encode := base64.RawURLEncoding.EncodeToString
	return map[string]any{"entry": encode(entry[:]), "leaf": encode(leaf[:])}, nil
}

func tiles(v vector) (any, error) {
	paths := []string{}
	for _, tile := range tlog.NewTiles(8, v.Old, v.New) {
		paths = append(paths, strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
	}
	if len(paths) > 8 {
		paths = append(paths[:2], paths[len(paths)-6:]...)
	}
	return map[string]any{"paths": paths}, nil
}

func consistency(v vector) (any, error) {
	if v.Old == 0 {
		// x/mod proves nothing of an empty tree; there is nothing to prove.
		if len(v.Proof) > 0 || hash(v.OldRoot) != tlog.Hash(sha256.Sum256(nil)) {
			return nil, refused
		}
		return map[string]any{}, nil
	}
	return map[string]any{}, tlog.CheckTree(path(v.Proof), v.New, hash(v.NewRoot), v.Old, hash(v.OldRoot))
}

func checkpoint(v vector) (any, error) {
	known, _, err := verifier(v.Vkey)
	if err != nil {
		return nil, err
	}
	opened, err := note.Open(v.Note.bytes(), note.VerifierList(known))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != known.Name() {
		return nil, refused
	}
	// The rest is the form of x/mod's own checkpoints, under another first line.
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + lines[1] + "\n" + lines[2] + "\n"))
	if err != nil || tree.N == 0 && tree.Hash != tlog.Hash(sha256.Sum256(nil)) {
		return nil, refused
	}
	root := base64.RawURLEncoding.EncodeToString(tree.Hash[:])
	return map[string]any{"origin": lines[0], "size": tree.N, "root": root}, nil
}

func cosignature(v vector) (any, error) {
	known, _, err := verifier(v.Vkey)
	if err != nil {
		return nil, err
	}
	opened, err := note.Open([]byte(v.Text+"\n"+string(v.Line.bytes())+"\n"), note.VerifierList(known))
	if err != nil {
		return nil, err
	}
	raw := must(base64.StdEncoding.DecodeString(opened.Sigs[0].Base64))
	return map[string]any{"time": binary.BigEndian.Uint64(raw[4:])}, nil
}

func try(v vector) (any, error) {
	switch v.Kind {
	case "log-leaf":
		return leaf(v)
	case "log-tiles":
		return tiles(v)
	case "log-inclusion":
		return map[string]any{}, tlog.CheckRecord(path(v.Proof), v.Size, hash(v.Root), v.Index, hash(v.Leaf))
	case "log-consistency":
		return consistency(v)
	case "log-key":
		found, kind, err := verifier(v.Vkey)
		if err != nil {
			return nil, err
		}
		return map[string]any{"key_id": fmt.Sprintf("%08x", found.KeyHash()), "type": kind}, nil
	case "log-checkpoint":
		return checkpoint(v)
	case "log-cosignature":
		return cosignature(v)
	}
	panic("a kind that x/mod does not read: " + v.Kind)
}

func tryVectors() {
	out := json.NewEncoder(os.Stdout)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var v vector
		must(0, json.Unmarshal(in.Bytes(), &v))
		came, err := try(v)
		must(0, out.Encode(map[string]any{"came": came, "refused": err != nil}))
	}
	must(0, in.Err())
}
