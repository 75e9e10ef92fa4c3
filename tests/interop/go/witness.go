package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	logged "referral-bus/log"
	bus "referral-bus/reader"
)

// What whoever runs the log or a witness needs besides, and whoever asks who has read a case.

// tilesFor gives the tiles that a growth writes (c2sp.org/tlog-tiles).
func tilesFor(old, total uint64) (found []string) {
	for level := 0; total > 0; level, old, total = level+1, old>>8, total>>8 {
		if old == total {
			continue
		}
		path := func(n uint64) string {
			told := fmt.Sprintf("%03d", n%1000)
			for n /= 1000; n > 0; n /= 1000 {
				told = fmt.Sprintf("x%03d/%s", n%1000, told)
			}
			return fmt.Sprintf("tile/%d/%s", level, told)
		}
		for n := old >> 8; n < total>>8; n++ {
			found = append(found, path(n))
		}
		if total&255 != 0 {
			found = append(found, fmt.Sprintf("%s.p/%d", path(total>>8), total&255))
		}
	}
	return found
}

// answerTo gives the HTTP status of a witness' answer, after the checkpoint that it cosigned last (c2sp.org/tlog-witness).
func answerTo(body string, key logged.Key, last *logged.Checkpoint) (status int) {
	status = 400
	defer func() {
		if thrown := recover(); thrown != nil {
			if _, refused := thrown.(bus.Refusal); !refused {
				panic(thrown)
			}
		}
	}()
	head, note, empty := strings.Cut(body, "\n\n")
	lines := strings.Split(head, "\n")
	refuse(len(body) > 262144+4096 || !empty || !strings.HasPrefix(lines[0], "old ") || len(lines) > 64, "bad-proof")
	old, proof := logged.Size(lines[0][4:], "bad-proof"), []string{}
	for _, line := range lines[1:] {
		proof = append(proof, logged.Hash64(line, "bad-proof"))
	}
	text, _ := logged.ReadNote(note)
	found := logged.ReadCheckpoint(text)
	if found.Origin != key.Name {
		return 404
	}
	status = 403
	logged.OpenNote(note, []logged.Key{key})
	if last == nil {
		last = &logged.Checkpoint{Root: bus.Hash("")}
	}
	if old > found.Size {
		return 400
	}
	if old != last.Size {
		return 409
	}
	status = 422
	logged.CheckConsistency(old, last.Root, found.Size, found.Root, proof)
	return 200
}

const statement = "referral-bus-log-statement+jws"

var access = regexp.MustCompile(strings.NewReplacer(
	"TIME", `"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"`,
	"HASH", `"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"`, "AGENCY", `"[a-z0-9-]{1,63}"`,
).Replace(`^\{"asked":"(?:bundle|reads|search|trail)","at":TIME,"bus":AGENCY,"by":AGENCY,"directory":(?:0|[1-9][0-9]{0,15}),` +
	`(?:"grant":\{(?:"case":HASH,)?(?:"province":"[0-9]{2}",)?"purpose":"[a-z-]+","valid_from":TIME,"valid_until":TIME\},)?` +
	`"kind":"audit\.accessed","request":HASH(?:,"subject":"[0-9a-f]{32}")?\}$`))

// readAccess takes what the log states about a read of a case; key is the log's, as its entry in the directory has it.
func readAccess(record, onBus string, key any) (found any) {
	value, _, signatures := logged.ReadRecord(record)
	refuse(!utf8.ValidString(value) || json.Unmarshal([]byte(value), &found) != nil, "malformed-json")
	spelled, _ := json.Marshal(found)
	refuse(string(spelled) != value, "not-canonical")
	refuse(!access.MatchString(value), "malformed-envelope")
	refuse(bus.Text(found, "bus") != onBus, "wrong-bus")
	asked, at, subject, grant := bus.Text(found, "asked"), bus.Text(found, "at"), bus.Text(found, "subject"), bus.Get(found, "grant")
	refuse(subject == "" && asked != "search", "malformed-record")
	refuse(grant == nil && asked != "reads", "not-permitted")
	if grant != nil {
		refuse(at < bus.Text(grant, "valid_from") || at >= bus.Text(grant, "valid_until"), "not-permitted")
		granted := bus.Text(grant, "case")
		refuse(granted != "" && subject != "" && granted != bus.B64(bus.Hash("referral-bus-grant/v1\n"+subject)), "not-permitted")
	}
	for i, signature := range signatures {
		kid, _ := bus.Signed(signature, statement)
		refuse(kid != bus.Text(key, "kid"), "unknown-key")
		refuse(i > 0, "repeated-key")
		bus.Verify(bus.Unb64(bus.Text(key, "public"), 32, "malformed-key"), signature, statement, value)
	}
	refuse(len(signatures) == 0, "not-enough-signatures")
	refuse(at < bus.Text(key, "valid_from") || at >= bus.Text(key, "valid_until"), "key-not-valid")
	return found
}
