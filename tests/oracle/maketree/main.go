// Maketree writes the parts of a store that the tiles oracle reads, of SIZE
// entries, so that the oracle can be tested without the library it judges.
// The partial files of a tree of half the size stay, as in a store.
//
// usage: maketree STORE SIZE
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	origin = "log.example/made"
	format = "pakhus 1\nidentity 00112233445566778899aabbccddeeff\n" +
		"origin " + origin + "\nimmutable no\n"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "maketree:", err)
		os.Exit(1)
	}
}

func write(dir, name string, data []byte) {
	p := filepath.Join(dir, name)
	check(os.MkdirAll(filepath.Dir(p), 0o777))
	check(os.WriteFile(p, data, 0o666))
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: maketree STORE SIZE")
		os.Exit(2)
	}
	dir := os.Args[1]
	size, err := strconv.ParseInt(os.Args[2], 10, 64)
	check(err)

	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	check(err)
	signer, err := note.NewSigner(skey)
	check(err)
	write(dir, "FORMAT", []byte(format))
	write(dir, "keys/"+strings.Split(vkey, "+")[1], []byte(vkey+"\n"))

	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			out = append(out, hashes[i])
		}
		return out, nil
	})
	var bundle []byte
	tile := tlog.Tile{H: height, L: -1}
	flush := func() {
		p := strings.Replace(tile.Path(), "tile/8/data/", "log/tile/entries/", 1)
		write(dir, p, bundle)
	}
	for n := int64(0); n < size; n++ {
		line := fmt.Sprintf(`{"op":"delete","id":"p%d","version":"1","time":%d,"by":""}`, n, n*n)
		if n == 0 {
			line = fmt.Sprintf(`{"op":"key","key":"%s","format":"%x","time":1,"by":""}`,
				vkey, sha256.Sum256([]byte(format)))
		}
		h, err := tlog.StoredHashes(n, []byte(line), reader)
		check(err)
		hashes = append(hashes, h...)
		bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(line)))
		bundle = append(bundle, line...)
		tile.N, tile.W = n>>height, int(n&255)+1
		if tile.W == 256 || n+1 == size || n+1 == size/2 {
			flush()
		}
		if tile.W == 256 {
			bundle = nil
		}
	}
	for _, n := range []int64{size / 2, size} {
		widest := map[string]tlog.Tile{}
		for _, t := range tlog.NewTiles(height, 0, n) {
			widest[fmt.Sprint(t.L, "/", t.N)] = t
		}
		for _, t := range widest {
			data, err := tlog.ReadTileData(t, reader)
			check(err)
			write(dir, strings.Replace(t.Path(), "tile/8/", "log/tile/", 1), data)
		}
	}
	root, err := tlog.TreeHash(size, reader)
	check(err)
	text := fmt.Sprintf("%s\n%d\n%v\n", origin, size, root)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	check(err)
	write(dir, "log/checkpoint", signed)
}
