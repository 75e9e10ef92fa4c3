// Checks an evidence bundle of referral-bus: go run . BUNDLE.zip LOG.policy TRUST.json
// Made from SPEC.md alone. It takes nothing from the bundle on trust: every event has to be under the log's signed root, decided by the
// router, signed by its sender, and numbered without a gap. Of trail.json it compares the rows; what states follow it does not work out.
package main

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

type doc struct { // all that is read of any JSON here
	Bus, Root, Path, ID, Kind, Source, Subject, Value, Signature, Code, Event, Admitted, Type, Verb, Kid, Public string
	Case, Entries, Index, Leaf, Partition, Threshold                                                             int64
	From                                                                                                         string `json:"valid_from"`
	Until                                                                                                        string `json:"valid_until"`
	Revoked                                                                                                      string `json:"revoked_at"`
	Keys, Rows                                                                                                   []doc
	Roles, Signatures                                                                                            []string
	Files                                                                                                        map[string]string
	Head, Entry                                                                                                  json.RawMessage
}

var text64 = base64.StdEncoding.Strict()

func demand(held bool, format string, told ...any) {
	if !held {
		log.Fatalf("NOT SOUND: "+format, told...)
	}
}
func must[T any](value T, err error) T { demand(err == nil, "%v", err); return value }
func unb64(text string) []byte         { return must(base64.RawURLEncoding.Strict().DecodeString(text)) }
func b64(data []byte) string           { return base64.RawURLEncoding.EncodeToString(data) }
func hashed(parts ...[]byte) []byte    { sum := sha256.Sum256(bytes.Join(parts, nil)); return sum[:] }
func parse(data []byte) (found doc)    { must(0, json.Unmarshal(data, &found)); return found }
func lines(data string) []string       { return strings.Split(strings.TrimSuffix(data, "\n"), "\n") }
func sized(data []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...)
}
func hashes(path []byte) (found []tlog.Hash) {
	for ; len(path) > 0; path = path[32:] {
		found = append(found, tlog.Hash(path[:32]))
	}
	return found
}

// rootOf returns the root that a path leads to (RFC 9162 section 2.1.3.2): of the router's tree only that, signed, is shown.
func rootOf(path []tlog.Hash, index, size uint32, leaf []byte) []byte {
	found, last := tlog.RecordHash(leaf), size-1
	for _, one := range path {
		if index&1 == 0 && index != last {
			found = tlog.NodeHash(found, one)
		} else {
			for found = tlog.NodeHash(one, found); index&1 == 0 && index > 0; index, last = index>>1, last>>1 {
			}
		}
		index, last = index>>1, last>>1
	}
	demand(last == 0, "the path of a decision is too short")
	return found[:]
}

// signed demands that payload bears the signature jws, of this typ, by one of keys, valid at a time where one is named.
func signed(jws, typ string, payload []byte, keys []doc, at string) doc {
	protected, raw, _ := strings.Cut(jws, "..")
	for _, one := range keys {
		header := `{"alg":"Ed25519","b64":false,"crit":["b64"],"kid":"` + one.Kid + `","typ":"referral-bus-` + typ + `+jws"}`
		in := at == "" || one.From <= at && at < one.Until && (one.Revoked == "" || at < one.Revoked)
		if in && protected == b64([]byte(header)) && ed25519.Verify(unb64(one.Public), append([]byte(protected+"."), payload...), unb64(raw)) {
			return one
		}
	}
	panic("NOT SOUND: not signed, as a " + typ + ", by any key that could have")
}

// unzip returns the files of a bundle: stored as they are, each once, and as the manifest names them.
func unzip(name string) map[string]string {
	archive, files := must(zip.OpenReader(name)).File, map[string]string{}
	for _, file := range archive {
		demand(file.Method == zip.Store, "%q is not stored as it is", file.Name)
		files[file.Name] = string(must(io.ReadAll(must(file.Open()))))
	}
	manifest := parse([]byte(files["manifest.json"]))
	for name, told := range manifest.Files {
		demand(b64(hashed([]byte(files[name]))) == told, "%s: not the bytes that the manifest names", name)
	}
	demand(len(manifest.Files)+1 == len(files) && len(files) == len(archive), "manifest.json: names other files than there are")
	return files
}

// checkpoint returns size and root of a note by a log of the trust file (c2sp.org/tlog-policy), and which of its witnesses cosigned it.
func checkpoint(note, policy string) (size int64, root []byte, witnesses []string) {
	keys := map[string][]byte{}
	for _, line := range lines(policy) {
		for _, word := range strings.Fields(line) {
			if part := strings.SplitN(word, "+", 3); len(part) == 3 && !strings.HasPrefix(strings.TrimSpace(line), "#") {
				raw := must(text64.DecodeString(part[2]))
				demand(len(raw) == 33 && fmt.Sprintf("%x", hashed([]byte(part[0]+"\n"), raw)[:4]) == part[1], "a key of the policy under another id")
				keys[part[0]+" "+part[1]] = raw
			}
		}
	}
	body, signatures, _ := strings.Cut(note, "\n\n")
	told, by := strings.Split(body, "\n"), ""
	for _, line := range lines(signatures) {
		part, message := strings.Split(line, " "), body+"\n"
		sig := must(text64.DecodeString(part[2]))
		key, sig := keys[fmt.Sprintf("%s %x", part[1], sig[:4])], sig[4:]
		if key != nil && key[0] == 4 { // a cosignature is over its time as well (c2sp.org/tlog-cosignature)
			message = fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), message)
			sig, witnesses = sig[8:], append(witnesses, part[1])
		} else if key != nil {
			by = part[1]
		}
		demand(key == nil || ed25519.Verify(key[1:], []byte(message), sig), "a signature of the checkpoint is wrong")
	}
	demand(by != "" && len(told) == 3 && told[0] == by, "no checkpoint of a known log")
	return must(strconv.ParseInt(told[1], 10, 64)), must(text64.DecodeString(told[2])), witnesses
}

// directory returns the keys of an extract whose head enough registrars have signed, by agency and by role.
func directory(file string, trust doc) map[string][]doc {
	top := parse([]byte(lines(file)[0]))
	head, by, keys := parse(top.Head), map[string]bool{}, map[string][]doc{}
	for _, one := range top.Signatures {
		by[signed(one, "directory-head", top.Head, trust.Keys, "").Kid] = true
	}
	demand(int64(len(by)) >= trust.Threshold && trust.Threshold > 0 && head.Bus == trust.Bus, "not the directory of this bus")
	for _, line := range lines(file)[1:] {
		told := parse([]byte(line))
		must(0, tlog.CheckRecord(hashes(unb64(told.Path)), head.Entries, tlog.Hash(unb64(head.Root)), told.Index, tlog.RecordHash(told.Entry)))
		entry := parse(told.Entry)
		for _, name := range append(entry.Roles, "agency "+entry.ID) {
			keys[name] = entry.Keys
		}
	}
	return keys
}

// event demands that a leaf is an event of this case, decided by the router and signed by its sender, and returns the decision.
func event(told, trail, row doc, decided, place []byte, root string, keys map[string][]doc) doc {
	value, decision, count := unb64(told.Value), parse(decided), binary.BigEndian.Uint32(place[4:])
	event, batch := parse(value), b64(rootOf(hashes(place[8:]), binary.BigEndian.Uint32(place), count, decided))
	stated := fmt.Sprintf(`{"bus":"%s","partition":%d,"root":"%s","size":%d}`, trail.Bus, decision.Partition, batch, count)
	signed(root, "decision", []byte(stated), keys["router"], decision.Admitted)
	signed(string(unb64(told.Signature)), "event", value, keys["agency "+event.Source], decision.Admitted)
	demand(decision.Event == b64(hashed(value)) && event.Subject == trail.Subject, "not what the router decided on, or of another case")
	demand(row.Event == decision.Event && row.Source == event.Source && row.Code == decision.Code && row.Case == decision.Case &&
		row.Admitted == decision.Admitted && strings.Contains(event.Type, "."+row.Verb+"."), "trail.json says something else")
	return decision
}

func main() {
	files, trust, last, erased, before := unzip(os.Args[1]), parse(must(os.ReadFile(os.Args[3]))), int64(0), int64(0), int64(-1)
	trail, events, keys := parse([]byte(files["trail.json"])), lines(files["events.jsonl"]), directory(files["directory.jsonl"], trust)
	size, root, witnesses := checkpoint(files["checkpoint"], string(must(os.ReadFile(os.Args[2]))))
	demand(trail.Bus == trust.Bus && len(trail.Rows) == len(events), "of another bus, or not a row for each event")
	for number, line := range events {
		told, row := parse([]byte(line)), trail.Rows[number]
		log.SetPrefix(fmt.Sprintf("leaf %d: ", told.Index))
		top, below, _ := strings.Cut(files[fmt.Sprintf("proofs/%d.tlog-proof", told.Index)], "\n\n")
		head, path, found := strings.Cut(top, fmt.Sprintf("index %d", told.Index))
		demand(found && below == files["checkpoint"] && told.Index > before && row.Leaf == told.Index, "out of order, or proven under another checkpoint")
		extra := must(text64.DecodeString(strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(head, "c2sp.org/tlog-proof@v1\n"), "extra "))))
		leaf, parts, proof := unb64(strings.Trim(string(told.Entry), `"`)), [3][]byte{}, []tlog.Hash{}
		if erased++; told.Entry == nil { // nothing of it was erased
			rest := extra[32:]
			leaf, erased = hashed([]byte("referral-bus-leaf/v1\n"), extra[:32], sized(unb64(told.Signature)), sized(unb64(told.Value)), rest), erased-1
			for i := range parts {
				end := 4 + binary.BigEndian.Uint32(rest)
				parts[i], rest = rest[4:end], rest[end:]
			}
		}
		for _, one := range strings.Fields(path) {
			proof = append(proof, tlog.Hash(must(text64.DecodeString(one))))
		}
		must(0, tlog.CheckRecord(proof, size, tlog.Hash(root), told.Index, tlog.RecordHash(leaf)))
		if before = told.Index; len(parts[0]) > 0 {
			decision := event(told, trail, row, parts[0], parts[1], string(parts[2]), keys)
			if decision.Code == "accepted" {
				demand(decision.Case > last && decision.Case-last-1 <= erased, "events before it are missing")
				last, erased = decision.Case, 0
			}
		}
		fmt.Printf("%6d  %s  %-9s %-10s %s %s\n", told.Index, row.Admitted, row.Kind, row.Code, row.Source, row.Verb)
	}
	fmt.Printf("SOUND: %d leaves of case %s in a log of %d, cosigned by %q\n", len(events), trail.Subject, size, witnesses)
}
