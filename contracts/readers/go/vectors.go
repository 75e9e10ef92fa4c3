package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// Vector has the members of every kind that this program reads; any other member is a failure (20).
type vector struct {
	Name      string          `json:"name"`
	Comment   string          `json:"comment"`
	Expect    string          `json:"expect"`
	Kind      string          `json:"kind"`
	Text      json.RawMessage `json:"text"`
	Size      *int            `json:"size"`
	Bytes     Bin             `json:"bytes"`
	Parts     []Bin           `json:"parts"`
	Bus       string          `json:"bus"`
	Source    string          `json:"source"`
	ID        string          `json:"id"`
	Subject   string          `json:"subject"`
	Section   section         `json:"section"`
	Context   sectionContext  `json:"context"`
	CEK       Bin             `json:"cek"`
	Plaintext Bin             `json:"plaintext"`
	Address   string          `json:"address"`
	Secret    Bin             `json:"secret"`
	Typ       string          `json:"typ"`
	Public    Bin             `json:"public"`
	Payload   Bin             `json:"payload"`
	Seed      Bin             `json:"seed"`
	LeafHash  string          `json:"leaf_hash"`
	Index     int             `json:"index"`
	Path      Bin             `json:"path"`
	Root      Bin             `json:"root"`
	Leaf      Bin             `json:"leaf"`
	Partition int             `json:"partition"`
	Value     Bin             `json:"value"`
	Verb      string          `json:"verb"`
	Event     string          `json:"event"`
}

var errDiffers = errors.New("comes out otherwise than the vector says")

// runVector tells whether the vector is of a kind that is read here, and what is wrong.
func runVector(file string) (known bool, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	var kind struct {
		Kind string `json:"kind"`
	}
	if err = json.Unmarshal(raw, &kind); err != nil {
		return false, err
	}
	run, known := kinds[kind.Kind]
	if !known {
		return false, nil
	}
	var v vector
	if err = strict(raw, &v); err != nil {
		return true, err
	}
	outcome, err := "valid", run(&v)
	var code refusal
	if errors.As(err, &code) {
		outcome, err = string(code), nil
	}
	if err == nil && outcome != v.Expect {
		err = fmt.Errorf("%s, not %s", outcome, v.Expect)
	}
	return true, err
}

func same(good bool) error {
	if !good {
		return errDiffers
	}
	return nil
}

var kinds = map[string]func(*vector) error{
	"base64url": func(v *vector) error {
		var text string
		if err := json.Unmarshal(v.Text, &text); err != nil {
			return err
		}
		size := -1
		if v.Size != nil {
			size = *v.Size
		}
		data, err := unb64(text, size)
		if err != nil {
			return err
		}
		return same(bytes.Equal(data, v.Bytes))
	},
	"length-prefix": func(v *vector) error {
		parts := make([][]byte, len(v.Parts))
		for i, part := range v.Parts {
			parts[i] = part
		}
		return same(bytes.Equal(lp(parts...), v.Bytes))
	},
	"pseudonym": func(v *vector) error { return same(pseudonym(v.Bus, v.Source, v.ID) == v.Subject) },
	"signature": func(v *vector) error {
		var text Bin
		if err := json.Unmarshal(v.Text, &text); err != nil {
			return err
		}
		return checkSignature(v.Public, text, v.Typ, v.Payload)
	},
	"section": func(v *vector) error {
		cek, err := contentKey(v.Section, v.Context, v.Address, v.Secret)
		if err != nil {
			return err
		}
		plaintext, err := openSection(v.Section, v.Context, cek)
		if err != nil {
			return err
		}
		return same(bytes.Equal(cek, v.CEK) && bytes.Equal(plaintext, v.Plaintext))
	},
	"disclosed-section": func(v *vector) error {
		plaintext, err := openSection(v.Section, v.Context, v.CEK)
		if err != nil {
			return err
		}
		return same(bytes.Equal(plaintext, v.Plaintext))
	},
	"merkle-path": func(v *vector) error {
		leaf, err := unb64(v.LeafHash, 32)
		if err != nil {
			return err
		}
		root, err := rootFromPath(leaf, v.Index, *v.Size, v.Path)
		if err != nil {
			return err
		}
		if !bytes.Equal(root, v.Root) {
			return refusal("bad-decision")
		}
		return nil
	},
	"proof": func(v *vector) error {
		return checkProof(v.Leaf, v.Path, v.Root, v.Bus, v.Partition, v.Public)
	},
	"envelope": func(v *vector) error {
		_, verb, err := decodeEnvelope(v.Value)
		if err != nil {
			return err
		}
		return same(verb == v.Verb && eventHash(v.Value) == v.Event)
	},
}
