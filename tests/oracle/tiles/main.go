// Tiles checks the log of a store with code that is not ours: the checksum
// database's own golang.org/x/mod/sumdb/note and tlog, from Debian's package.
//
// It opens the checkpoint with the keys in keys/, asks tlog for the tree hash
// through our tiles, makes every leaf and every tile again from the bundles
// and compares them byte by byte, and proves records and older trees.
//
// usage: tiles STORE, with TAP on stdout
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // of C2SP tlog-tiles, which leaves it out of the paths

// A store is what was learnt of it so far.
type store struct {
	dir    string
	format []byte
	origin string
	vkeys  []string
	tree   tlog.Tree
	leaves int64
	hashes []tlog.Hash // as tlog stores them, made from the bundles
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: tiles STORE")
		os.Exit(2)
	}
	s := &store{dir: os.Args[1]}
	// in order: each step needs the ones before it
	steps := []struct {
		name string
		run  func() error
	}{
		{"FORMAT is four lines", s.readFormat},
		{"the checkpoint is signed by a key of the origin", s.openCheckpoint},
		{"the tiles give the tree hash of the checkpoint", s.hashTiles},
		{"the bundles give the tree hash of the checkpoint", s.hashBundles},
		{"entry 0 names FORMAT and a key", s.readFirstEntry},
		{"every tile and bundle of the tree is there", s.findFiles},
		{"every file below log/tile has the bytes of the tree", s.compareFiles},
		{"records are proved", s.proveRecords},
		{"older trees are proved", s.proveTrees},
		{"each key signs its own part, and what follows it", s.openRotations},
	}
	for i, step := range steps {
		if err := step.run(); err != nil {
			fmt.Printf("not ok %d - %s\n# %v\n1..%d\n", i+1, step.name, err, i+1)
			os.Exit(1)
		}
		fmt.Printf("ok %d - %s\n", i+1, step.name)
	}
	fmt.Printf("# %d entries\n1..%d\n", s.tree.N, len(steps))
}

func (s *store) read(path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(s.dir, path))
}

func (s *store) readFormat() (err error) {
	if s.format, err = s.read("FORMAT"); err != nil {
		return err
	}
	lines := strings.Split(string(s.format), "\n")
	if len(lines) != 5 || lines[4] != "" || lines[0] != "pakhus 1" ||
		!strings.HasPrefix(lines[2], "origin ") {
		return fmt.Errorf("%q", s.format)
	}
	s.origin = strings.TrimPrefix(lines[2], "origin ")
	return nil
}

func (s *store) openCheckpoint() error {
	files, err := os.ReadDir(filepath.Join(s.dir, "keys"))
	if err != nil {
		return err
	}
	var verifiers []note.Verifier
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".next") {
			continue
		}
		text, err := s.read("keys/" + f.Name())
		if err != nil {
			return err
		}
		vkey := strings.TrimSuffix(string(text), "\n")
		v, err := note.NewVerifier(vkey)
		if err == nil && strings.Count(string(text), "\n") != 1 {
			err = errors.New("not one line")
		}
		if err != nil {
			return fmt.Errorf("keys/%s: %w", f.Name(), err)
		}
		s.vkeys = append(s.vkeys, vkey)
		verifiers = append(verifiers, v)
	}
	text, err := s.read("log/checkpoint")
	if err != nil {
		return err
	}
	n, err := note.Open(text, note.VerifierList(verifiers...))
	if err != nil {
		return err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] != s.origin || n.Sigs[0].Name != s.origin {
		return fmt.Errorf("origin %q in %q", s.origin, n.Text)
	}
	if s.tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return err
	}
	if strconv.FormatInt(s.tree.N, 10) != lines[1] || s.tree.N < 1 {
		return fmt.Errorf("size %q", lines[1])
	}
	s.tree.Hash, err = tlog.ParseHash(lines[2])
	return err
}

// width says how many elements of 256 the nth file of a level has in the tree.
func (s *store) width(level int, n int64) int {
	left := s.tree.N>>(height*level) - n<<height
	if left > 1<<height {
		left = 1 << height
	}
	return int(left)
}

// path is tlog's of a tile without its height, or of a bundle (level -1).
func path(level int, n int64, width int) string {
	t := tlog.Tile{H: height, L: level, N: n, W: width}
	p := strings.TrimPrefix(t.Path(), "tile/8/")
	return "log/tile/" + strings.Replace(p, "data/", "entries/", 1)
}

// readPart reads a file, or where it is gone the wider one of the same place.
func (s *store) readPart(level int, n int64, width int) ([]byte, error) {
	data, err := s.read(path(level, n, width))
	for _, w := range []int{1 << height, s.width(max(level, 0), n)} {
		if errors.Is(err, fs.ErrNotExist) && w > width {
			data, err = s.read(path(level, n, w))
		}
	}
	return data, err
}

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}

// tlog.TileReader
func (s *store) Height() int { return height }

func (s *store) SaveTiles([]tlog.Tile, [][]byte) {}

func (s *store) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, t := range tiles {
		data, err := s.readPart(t.L, t.N, t.W)
		if err != nil {
			return nil, err
		}
		if len(data) < t.W*tlog.HashSize {
			return nil, fmt.Errorf("%s is short", path(t.L, t.N, t.W))
		}
		all = append(all, data[:t.W*tlog.HashSize])
	}
	return all, nil
}

func same(have, want tlog.Hash) error {
	if have != want {
		return fmt.Errorf("%v is not %v", have, want)
	}
	return nil
}

func (s *store) hashTiles() error {
	h, err := tlog.TreeHash(s.tree.N, tlog.TileHashReader(s.tree, s))
	if err != nil {
		return err
	}
	return same(h, s.tree.Hash)
}

// cut takes count entries off a bundle.
func cut(data []byte, count int) (lines [][]byte, rest []byte, err error) {
	for ; count > 0; count-- {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, nil, errors.New("an entry goes beyond the bundle")
		}
		n := 2 + int(binary.BigEndian.Uint16(data))
		lines, data = append(lines, data[2:n]), data[n:]
	}
	return lines, data, nil
}

// ReadHashes reads what hashBundles made.
func (s *store) ReadHashes(indexes []int64) (out []tlog.Hash, err error) {
	for _, i := range indexes {
		if i >= int64(len(s.hashes)) {
			return nil, fmt.Errorf("no hash %d yet", i)
		}
		out = append(out, s.hashes[i])
	}
	return out, nil
}

func (s *store) hashBundles() error {
	for n := int64(0); n<<height < s.tree.N; n++ {
		w := s.width(0, n)
		data, err := s.readPart(-1, n, w)
		if err != nil {
			return err
		}
		lines, _, err := cut(data, w)
		if err != nil {
			return fmt.Errorf("%s: %w", path(-1, n, w), err)
		}
		for _, line := range lines {
			h, err := tlog.StoredHashesForRecordHash(s.leaves, tlog.RecordHash(line), s)
			if err != nil {
				return err
			}
			s.hashes = append(s.hashes, h...)
			s.leaves++
		}
	}
	h, err := tlog.TreeHash(s.tree.N, s)
	if err != nil {
		return err
	}
	return same(h, s.tree.Hash)
}

func (s *store) readFirstEntry() error {
	data, err := s.readPart(-1, 0, s.width(0, 0))
	if err != nil {
		return err
	}
	lines, _, err := cut(data, 1)
	if err != nil {
		return err
	}
	var e struct{ Op, Key, Format string }
	if err := json.Unmarshal(lines[0], &e); err != nil {
		return err
	}
	sum := sha256.Sum256(s.format)
	if e.Op != "key" || e.Format != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("%s", lines[0])
	}
	for _, vkey := range s.vkeys {
		if e.Key == vkey {
			return nil
		}
	}
	return fmt.Errorf("%q is not in keys/", e.Key)
}

// findKeys reads the verifier keys of all key entries, by their positions.
func (s *store) findKeys() (keys []string, at []int64, err error) {
	for n := int64(0); n<<height < s.tree.N; n++ {
		data, err := s.readPart(-1, n, s.width(0, n))
		if err != nil {
			return nil, nil, err
		}
		lines, _, err := cut(data, s.width(0, n))
		if err != nil {
			return nil, nil, err
		}
		for i, line := range lines {
			var e struct{ Op, Key string }
			if err := json.Unmarshal(line, &e); err != nil {
				return nil, nil, err
			}
			if e.Op == "key" {
				keys = append(keys, e.Key)
				at = append(at, n<<height+int64(i))
			}
		}
	}
	return keys, at, nil
}

// openUnder opens a note as one who trusts no other key.
func (s *store) openUnder(file, vkey string) (string, error) {
	text, err := s.read(file)
	if err != nil {
		return "", err
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return "", err
	}
	n, err := note.Open(text, note.VerifierList(v))
	if err != nil {
		return "", fmt.Errorf("%s under %s: %w", file, vkey, err)
	}
	return n.Text, nil
}

func (s *store) openRotations() error {
	keys, at, err := s.findKeys()
	if err != nil {
		return err
	}
	for i := 1; i < len(keys); i++ {
		size := at[i] + 1
		root, err := tlog.TreeHash(size, s)
		if err != nil {
			return err
		}
		file := "keys/" + strings.Split(keys[i-1], "+")[1] + ".next"
		for _, vkey := range []string{keys[i-1], keys[i]} {
			text, err := s.openUnder(file, vkey)
			if err != nil {
				return err
			}
			if !strings.HasPrefix(text, fmt.Sprintf("%s\n%d\n%v\n", s.origin, size, root)) ||
				strings.Count(text, "\nkey ") != 1 ||
				!strings.Contains(text, "\nkey "+keys[i]+"\n") {
				return fmt.Errorf("%s: %q", file, text)
			}
		}
	}
	_, err = s.openUnder("log/checkpoint", keys[len(keys)-1])
	return err
}

func (s *store) findFiles() error {
	for level := -1; level <= 7; level++ {
		for n := int64(0); s.width(max(level, 0), n) > 0; n++ {
			if _, err := s.readPart(level, n, s.width(max(level, 0), n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare holds a file against the tree that the bundles made.
func (s *store) compare(name string, data []byte) error {
	p := strings.TrimPrefix(name, "log/tile/")
	t, err := tlog.ParseTilePath("tile/8/" + strings.Replace(p, "entries/", "data/", 1))
	if err != nil {
		return err
	}
	if path(t.L, t.N, t.W) != name {
		return errors.New("a second spelling")
	}
	if t.W > s.width(max(t.L, 0), t.N) {
		fmt.Printf("# %s is beyond the checkpoint\n", name)
		return nil
	}
	if t.L >= 0 {
		want, err := tlog.ReadTileData(t, s)
		if err == nil && !bytes.Equal(data, want) {
			err = errors.New("other hashes than the tree's")
		}
		return err
	}
	lines, rest, err := cut(data, t.W)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return errors.New("bytes behind the last entry")
	}
	for i, line := range lines {
		at := tlog.StoredHashIndex(0, t.N<<height+int64(i))
		if tlog.RecordHash(line) != s.hashes[at] {
			return fmt.Errorf("entry %d is another", i)
		}
	}
	return nil
}

func (s *store) compareFiles() error {
	top := filepath.Join(s.dir, "log/tile")
	return filepath.WalkDir(top, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(s.dir, p)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(p)
		if err == nil {
			err = s.compare(filepath.ToSlash(name), data)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

// sample picks numbers from 1 to n: the ends, the edges of tiles, and others.
func sample(n int64) (out []int64) {
	seen := map[int64]bool{}
	add := func(v int64) {
		if v >= 1 && v <= n && !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	for _, edge := range []int64{1, 256, 512, 65536, n &^ 255, n / 2, n} {
		for d := int64(-1); d <= 1; d++ {
			add(edge + d)
		}
	}
	for i := int64(1); i <= 16; i++ {
		add(i * 2654435761 % n)
	}
	return out
}

func (s *store) proveRecords() error {
	tiles := tlog.TileHashReader(s.tree, s)
	for _, n := range sample(s.tree.N) {
		n-- // positions count from 0
		proof, err := tlog.ProveRecord(s.tree.N, n, tiles)
		if err != nil {
			return err
		}
		leaf := s.hashes[tlog.StoredHashIndex(0, n)]
		if err := tlog.CheckRecord(proof, s.tree.N, s.tree.Hash, n, leaf); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
	}
	return nil
}

func (s *store) proveTrees() error {
	sizes := sample(s.tree.N)
	for _, t := range sizes {
		hash, err := tlog.TreeHash(t, s)
		if err != nil {
			return err
		}
		tiles := tlog.TileHashReader(tlog.Tree{N: t, Hash: hash}, s)
		for _, n := range sizes {
			if n > t {
				continue
			}
			old, err := tlog.TreeHash(n, s)
			if err != nil {
				return err
			}
			proof, err := tlog.ProveTree(t, n, tiles)
			if err == nil {
				err = tlog.CheckTree(proof, t, hash, n, old)
			}
			if err != nil {
				return fmt.Errorf("%d in %d: %w", n, t, err)
			}
		}
	}
	return nil
}
