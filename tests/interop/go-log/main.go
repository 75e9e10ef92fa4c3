// Trees, tiles, proofs and signed checkpoints as golang.org/x/mod makes them.
//
//	trial ORIGIN SEED < sizes
//	trial < vectors
//
// It reads the sizes of a log that grows, one a line, and tells of each, as a line of JSON, what such a log publishes
// and proves. Entry number n is the SHA-256 of "entry n". Or it reads vectors, see vectors.go.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type told struct {
	Size        int64
	Note        string
	Tiles       [][2]string
	Inclusion   map[int64][]string
	Consistency map[int64][]string
}

type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		found[at] = h[index]
	}
	return found, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// signer returns what signs notes with an Ed25519 seed, and checks that x/mod opens what it signs.
func signer(origin string, seed []byte) (note.Signer, note.Verifier) {
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	vkey := must(note.NewEd25519VerifierKey(origin, public))
	id := strings.Split(vkey, "+")[1]
	private := base64.StdEncoding.EncodeToString(append([]byte{1}, seed...))
	return must(note.NewSigner("PRIVATE+KEY+" + origin + "+" + id + "+" + private)), must(note.NewVerifier(vkey))
}

// cosigner makes the cosignatures of c2sp.org/tlog-cosignature, which x/mod leaves to others.
type cosigner struct {
	name string
	key  ed25519.PrivateKey
	time uint64
}

func (c cosigner) Name() string { return c.name }

func (c cosigner) KeyHash() uint32 {
	public := c.key.Public().(ed25519.PublicKey)
	sum := sha256.Sum256(append([]byte(c.name+"\n\x04"), public...))
	return binary.BigEndian.Uint32(sum[:])
}

func (c cosigner) Sign(text []byte) ([]byte, error) {
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", c.time, text)
	return append(binary.BigEndian.AppendUint64(nil, c.time), ed25519.Sign(c.key, []byte(message))...), nil
}

func lines[H ~[]tlog.Hash](path H) []string {
	found := []string{}
	for _, hash := range path {
		found = append(found, hash.String())
	}
	return found
}

func grow(stored hashes, from, to int64) hashes {
	for n := from; n < to; n++ {
		entry := sha256.Sum256(fmt.Appendf(nil, "entry %d", n))
		stored = append(stored, must(tlog.StoredHashes(n, entry[:], stored))...)
	}
	return stored
}

func tell(stored hashes, old, size int64, root tlog.Hash) told {
	found := told{Size: size, Tiles: [][2]string{}, Inclusion: map[int64][]string{}, Consistency: map[int64][]string{}}
	for _, tile := range tlog.NewTiles(8, old, size) {
		sum := sha256.Sum256(must(tlog.ReadTileData(tile, stored)))
		// c2sp.org/tlog-tiles leaves the height out of the path.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		found.Tiles = append(found.Tiles, [2]string{path, hex.EncodeToString(sum[:])})
	}
	for n := int64(0); n < size; n += 1 + size/64 {
		path := must(tlog.ProveRecord(size, n, stored))
		leaf := must(stored.ReadHashes([]int64{tlog.StoredHashIndex(0, n)}))[0]
		must(0, tlog.CheckRecord(path, size, root, n, leaf))
		found.Inclusion[n] = lines(path)
		path2 := must(tlog.ProveTree(size, n+1, stored))
		must(0, tlog.CheckTree(path2, size, root, n+1, must(tlog.TreeHash(n+1, stored))))
		found.Consistency[n+1] = lines(path2)
	}
	return found
}

func main() {
	if len(os.Args) == 1 {
		tryVectors()
		return
	}
	seed := must(hex.DecodeString(os.Args[2]))
	sign, verify := signer(os.Args[1], seed)
	var stored hashes
	old := int64(0)
	out := json.NewEncoder(os.Stdout)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var size int64
		must(fmt.Sscan(in.Text(), &size))
		stored = grow(stored, old, size)
		root := must(tlog.TreeHash(size, stored))
		found := tell(stored, old, size, root)
		text := fmt.Sprintf("%s\n%d\n%s\n", os.Args[1], size, root)
		witness := cosigner{"witness.example/w", ed25519.NewKeyFromSeed(seed), uint64(size) + 1}
		signed := must(note.Sign(&note.Note{Text: text}, sign, witness))
		must(note.Open(signed, note.VerifierList(verify)))
		found.Note = string(signed)
		old = size
		must(0, out.Encode(found))
	}
}
