// Proofs checks proofs with code that is not ours: the checksum database's own
// golang.org/x/mod/sumdb/note and tlog, from Debian's package.
//
// usage: proofs <STREAM, what tests/aid_proofs prints: every proof has to be
// the one that tlog makes, and to convince tlog
//
// usage: proofs VKEY <PROOF, a C2SP tlog-proof with the entry as its extra
// line, read as that document says; prints the entry
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	check := checkStream
	if len(os.Args) == 2 {
		check = func() error { return checkText(os.Args[1]) }
	}
	if err := check(); err != nil {
		fmt.Fprintln(os.Stderr, "proofs:", err)
		os.Exit(1)
	}
}

// A tree is the hashes as tlog stores them.
type tree struct {
	entries int64
	hashes  []tlog.Hash
	roots   map[int64]tlog.Hash
}

func (t *tree) ReadHashes(indexes []int64) (out []tlog.Hash, err error) {
	for _, i := range indexes {
		if i >= int64(len(t.hashes)) {
			return nil, fmt.Errorf("no hash %d", i)
		}
		out = append(out, t.hashes[i])
	}
	return out, nil
}

func (t *tree) add(line []byte) error {
	h, err := tlog.StoredHashesForRecordHash(t.entries, tlog.RecordHash(line), t)
	t.hashes = append(t.hashes, h...)
	t.entries++
	return err
}

func (t *tree) root(size int64) (tlog.Hash, error) {
	h, ok := t.roots[size]
	if ok {
		return h, nil
	}
	h, err := tlog.TreeHash(size, t)
	t.roots[size] = h
	return h, err
}

func same(have, want []tlog.Hash) error {
	if len(have) != len(want) {
		return fmt.Errorf("%d hashes, not %d", len(have), len(want))
	}
	for i := range have {
		if have[i] != want[i] {
			return fmt.Errorf("hash %d is another", i)
		}
	}
	return nil
}

func (t *tree) checkRecord(index, size int64, path []tlog.Hash) error {
	want, err := tlog.ProveRecord(size, index, t)
	if err == nil {
		err = same(path, want)
	}
	if err != nil {
		return err
	}
	root, err := t.root(size)
	if err != nil {
		return err
	}
	leaf := t.hashes[tlog.StoredHashIndex(0, index)]
	return tlog.CheckRecord(path, size, root, index, leaf)
}

func (t *tree) checkTree(from, to int64, path []tlog.Hash) error {
	want, err := tlog.ProveTree(to, from, t)
	if err == nil {
		err = same(path, want)
	}
	if err != nil {
		return err
	}
	old, err := t.root(from)
	if err != nil {
		return err
	}
	root, err := t.root(to)
	if err != nil {
		return err
	}
	return tlog.CheckTree(path, to, root, from, old)
}

func checkStream() error {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	t := &tree{roots: map[int64]tlog.Hash{}}
	count := map[byte]int{}
	for {
		kind, err := in.ReadByte()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		count[kind]++
		if err := t.item(in, kind); err != nil {
			return err
		}
	}
	fmt.Printf("%d entries, %d records, %d trees\n", count['E'], count['I'], count['C'])
	return nil
}

func (t *tree) item(in io.Reader, kind byte) error {
	if kind == 'E' {
		var size [2]byte
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return err
		}
		line := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(in, line); err != nil {
			return err
		}
		return t.add(line)
	}
	var head [17]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return err
	}
	a := int64(binary.BigEndian.Uint64(head[:]))
	b := int64(binary.BigEndian.Uint64(head[8:]))
	path := make([]tlog.Hash, head[16])
	for i := range path {
		if _, err := io.ReadFull(in, path[i][:]); err != nil {
			return err
		}
	}
	var err error
	switch kind {
	case 'I':
		err = t.checkRecord(a, b, path)
	case 'C':
		err = t.checkTree(a, b, path)
	default:
		err = errors.New("of no kind")
	}
	if err != nil {
		return fmt.Errorf("%c %d %d: %w", kind, a, b, err)
	}
	return nil
}

func checkText(vkey string) error {
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	head, signed, ok := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" ||
		!strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return errors.New("not a proof")
	}
	entry, err := base64.StdEncoding.DecodeString(lines[1][len("extra "):])
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(lines[2][len("index "):], 10, 64)
	if err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		path = append(path, h)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	n, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		return err
	}
	text := strings.Split(n.Text, "\n")
	if len(text) < 4 || text[0] != verifier.Name() {
		return fmt.Errorf("%q is not a checkpoint of it", n.Text)
	}
	size, err := strconv.ParseInt(text[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := tlog.ParseHash(text[2])
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(path, size, root, index, tlog.RecordHash(entry)); err != nil {
		return err
	}
	fmt.Printf("%s\n", entry)
	return nil
}
