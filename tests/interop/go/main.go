// Trial tries the reader in Go on vectors, one to a line, and writes what came of each; or writes an event.
//
//	go run . CONTRACTS <vectors        {"came": {…}} or {"code": "…"} for each line
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	bus "referral-bus/reader"
)

type object = map[string]any

// octets are bytes as a vector writes them: text, repeated text, or base64url.
func octets(value any) string {
	if encoded, found := bus.Get(value, "base64url").(string); found {
		return bus.Unb64(encoded, -1, "malformed-value")
	}
	times := 1
	if told, found := bus.Get(value, "times").(float64); found {
		times = int(told)
	}
	return strings.Repeat(bus.Text(value, "utf8"), times)
}

func bytesOf(data string) object { return object{"base64url": bus.B64(data)} }

// try does what may throw, and says what was thrown.
func try(what func()) (thrown any) {
	defer func() { thrown = recover() }()
	what()
	return nil
}

// load reads the data that the reader goes by.
func load(folder string) (c bus.Contracts) {
	for file, into := range map[string]any{"lifecycle.json": &c, "grammars.json": &c.Grammars} {
		data, err := os.ReadFile(folder + "/" + file)
		refuse(err != nil, "no-such-file")
		refuse(json.Unmarshal(data, into) != nil, "malformed-json")
	}
	return c
}

func tried(kinds map[string]func(object) object, vector object) object {
	came := object{}
	run, found := kinds[bus.Text(vector, "kind")]
	if !found {
		return object{"code": "no-such-kind"}
	}
	switch thrown := try(func() { came = run(vector) }).(type) {
	case nil:
		return object{"came": came}
	case bus.Refusal:
		return object{"code": thrown}
	default:
		panic(thrown)
	}
}

func main() {
	kinds := kindsOf(load(os.Args[1]), os.Args[1])
	maps.Copy(kinds, logKinds())
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := bufio.NewWriter(os.Stdout)
	for lines.Scan() {
		var vector object
		if err := json.Unmarshal(lines.Bytes(), &vector); err != nil {
			fmt.Fprintln(os.Stderr, "trial:", err)
			os.Exit(2)
		}
		line, _ := json.Marshal(tried(kinds, vector))
		out.Write(append(line, '\n'))
		out.Flush()
	}
}

// written is an event, written by its description: what a test lets the reader say on a real bus.
func written(c bus.Contracts, v object) object {
	said, to := []string{}, []map[string]string{}
	for _, told := range bus.List(v, "parts") {
		readers := map[string]string{}
		for address, public := range bus.Get(told, "readers").(object) {
			readers[address] = bus.Unb64(public.(string), 1216, "malformed-key")
		}
		said, to = append(said, bus.Text(told, "plaintext")), append(to, readers)
	}
	event := bus.Get(v, "event").(object)
	seed, now := bus.Unb64(bus.Text(v, "seed"), 32, "malformed-key"), time.UnixMilli(int64(v["now"].(float64)))
	value, signature := c.Write(event, bus.Text(v, "verb"), seed, said, to, now)
	return object{"value": bus.B64(value), "signature": signature}
}
