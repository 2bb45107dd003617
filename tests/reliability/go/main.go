// Lists archives as archive/tar reads them. Each line of the input is the path of a .tar.gz; the answer is a line of JSON.
package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
)

type member struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"`
	Executable bool   `json:"executable"`
	Link       string `json:"link"`
	Sha256     string `json:"sha256"`
}

type listing struct {
	Members []member `json:"members"`
	Error   string   `json:"error"`
}

var kinds = map[byte]string{tar.TypeReg: "file", tar.TypeDir: "directory", tar.TypeLink: "link"}

func list(path string) (members []member, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	inflated, err := gzip.NewReader(bufio.NewReader(file))
	if err != nil {
		return nil, err
	}
	reader := tar.NewReader(inflated)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return members, nil
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		digest := sha256.New()
		if _, err := io.Copy(digest, reader); err != nil {
			return nil, err
		}
		kind := kinds[header.Typeflag]
		if kind == "" {
			kind = string(header.Typeflag)
		}
		members = append(members, member{
			header.Name, kind, header.Mode&0o111 != 0, header.Linkname, hex.EncodeToString(digest.Sum(nil)),
		})
	}
}

func main() {
	paths := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for paths.Scan() {
		var answer listing
		var err error
		if answer.Members, err = list(paths.Text()); err != nil {
			answer = listing{Error: err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			os.Exit(1)
		}
	}
}
