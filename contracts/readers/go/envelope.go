package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Fields stand in alphabetical order: Go writes a struct as it is declared, and that is the RFC 8785 form (3).

type eventRef struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
}

type handoffKey struct {
	Opening   string `json:"opening"`
	Recipient string `json:"recipient"`
}

type reader struct {
	Address string `json:"address"`
	Enc     string `json:"enc"`
	Kid     string `json:"kid"`
}

type section struct {
	Commit  string   `json:"commit"`
	Content string   `json:"content"`
	Readers []reader `json:"readers"`
}

type eventData struct {
	Answers    *eventRef   `json:"answers,omitempty"`
	Follows    *eventRef   `json:"follows,omitempty"`
	Handoff    *handoffKey `json:"handoff,omitempty"`
	Recipients []string    `json:"recipients"`
	Sections   []section   `json:"sections"`
	Supersedes *string     `json:"supersedes,omitempty"`
}

type envelope struct {
	Bus             string    `json:"bus"`
	Data            eventData `json:"data"`
	DataContentType string    `json:"datacontenttype"`
	Exercise        *bool     `json:"exercise"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	SpecVersion     string    `json:"specversion"`
	Subject         string    `json:"subject"`
	Time            string    `json:"time"`
	Type            string    `json:"type"`
}

var (
	agencyForm   = regexp.MustCompile(`\A[a-z0-9-]{1,63}\z`)
	addressForm  = regexp.MustCompile(`\A[a-z0-9-]{1,63}(/[a-z0-9-]{1,63})?\z`)
	idForm       = regexp.MustCompile(`\A[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z`)
	subjectForm  = regexp.MustCompile(`\A[0-9a-f]{32}\z`)
	timeForm     = regexp.MustCompile(`\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\z`)
	contentSizes = map[int]bool{1040: true, 2064: true, 4112: true, 8208: true, 16400: true, 32784: true,
		65552: true, 131088: true}
)

// 3: decode an envelope, in the order of the steps there.
func decodeEnvelope(value []byte) (*envelope, string, error) {
	if len(value) > 262144 {
		return nil, "", refusal("oversize")
	}
	if !json.Valid(value) || !utf8.Valid(value) {
		return nil, "", refusal("malformed-json")
	}
	var found envelope
	if strict(value, &found) != nil || !wellFormed(&found) {
		return nil, "", refusal("malformed-envelope")
	}
	verb, code := verbOf(found.Type)
	if code != "" {
		return nil, "", refusal(code)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", found.Time); err != nil {
		return nil, "", refusal("malformed-value")
	}
	var again bytes.Buffer
	encoder := json.NewEncoder(&again)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(&found) != nil || !bytes.Equal(bytes.TrimSuffix(again.Bytes(), []byte("\n")), value) {
		return nil, "", refusal("not-canonical")
	}
	return &found, verb, nil
}

func eventHash(value []byte) string {
	sum := sha256.Sum256(value)
	return b64(sum[:])
}

// The verbs of section 9, by name: ../../lifecycle.json.
var verbs map[string]struct{}

func readVerbs(file string) error {
	var told struct {
		Verbs map[string]struct{} `json:"verbs"`
	}
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &told)
	}
	verbs = told.Verbs
	return err
}

func verbOf(typ string) (verb, code string) {
	for verb := range verbs {
		version, known := strings.CutPrefix(typ, "vn.referral-bus."+verb+".")
		if known && version == "v1" {
			return verb, ""
		}
		if known && regexp.MustCompile(`\Av[0-9]+\z`).MatchString(version) {
			return "", "unknown-version"
		}
	}
	return "", "unknown-type"
}

func wellFormed(e *envelope) bool {
	data := e.Data
	good := e.Exercise != nil && agencyForm.MatchString(e.Bus) && agencyForm.MatchString(e.Source) &&
		idForm.MatchString(e.ID) && subjectForm.MatchString(e.Subject) && timeForm.MatchString(e.Time) &&
		len(e.Type) <= 100 && (e.DataContentType == "application/json" || e.DataContentType == "") &&
		(e.SpecVersion == "1.0" || e.SpecVersion == "") &&
		data.Recipients != nil && len(data.Recipients) <= 32 && data.Sections != nil && len(data.Sections) <= 16
	for _, ref := range []*eventRef{data.Answers, data.Follows} {
		good = good && (ref == nil || idForm.MatchString(ref.ID) && isHash(ref.SHA256))
	}
	if data.Handoff != nil {
		good = good && idForm.MatchString(data.Handoff.Opening) && addressForm.MatchString(data.Handoff.Recipient)
	}
	if data.Supersedes != nil {
		good = good && idForm.MatchString(*data.Supersedes)
	}
	for _, recipient := range data.Recipients {
		good = good && addressForm.MatchString(recipient)
	}
	for _, section := range data.Sections {
		good = good && sectionWellFormed(section)
	}
	return good
}

func isHash(text string) bool {
	_, err := unb64(text, 32)
	return err == nil
}

func sectionWellFormed(s section) bool {
	content, err := unb64(s.Content, -1)
	if err != nil || !contentSizes[len(content)] || !isHash(s.Commit) || len(s.Readers) < 1 || len(s.Readers) > 32 {
		// The sizes decide; stray bits in a content are found when it is opened.
		return len(s.Readers) >= 1 && len(s.Readers) <= 32 && isHash(s.Commit) && strayBitsOnly(s.Content) && readersWellFormed(s)
	}
	return readersWellFormed(s)
}

func strayBitsOnly(content string) bool {
	if len(content)%4 == 1 || !regexp.MustCompile(`\A[A-Za-z0-9_-]*\z`).MatchString(content) {
		return false
	}
	return contentSizes[len(content)*6/8]
}

func readersWellFormed(s section) bool {
	last := ""
	for _, reader := range s.Readers {
		if _, err := unb64(reader.Enc, 1168); err != nil || !isHash(reader.Kid) || reader.Kid <= last || !addressForm.MatchString(reader.Address) {
			return false
		}
		last = reader.Kid
	}
	return true
}
