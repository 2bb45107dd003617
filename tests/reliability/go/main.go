// Lists archives as archive/tar reads them: each line of the input is the path of a .tar.gz, each answer a line of JSON.
// With arguments, packs a folder: archives FORMAT FOLDER ARCHIVE.
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
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
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

// Of any other name, as archive/tar chooses.
var formats = map[string]tar.Format{"pax": tar.FormatPAX, "gnu": tar.FormatGNU}

// write packs a folder; a format that begins with "unclosed-" leaves the end marker out, as programs do that forget Close.
func write(format, folder, archive string) error {
	file, err := os.Create(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	deflated := gzip.NewWriter(file)
	writer := tar.NewWriter(deflated)
	plain, unclosed := strings.CutPrefix(format, "unclosed-")
	err = filepath.Walk(folder, func(path string, info fs.FileInfo, err error) error {
		if err != nil || path == folder {
			return err
		}
		header, err := tar.FileInfoHeader(info, "")
		if err != nil {
			return err
		}
		if header.Name, err = filepath.Rel(folder, path); err != nil {
			return err
		}
		header.Format, header.ModTime = formats[plain], header.ModTime.Truncate(time.Second)
		// Otherwise they stand where ustar has a prefix, as GNU's format has it.
		header.AccessTime, header.ChangeTime = time.Time{}, time.Time{}
		if info.IsDir() {
			// As programs do that take all of an os.FileMode for a mode of tar.
			header.Name += "/"
			header.Format, header.Mode = tar.FormatGNU, int64(info.Mode())
			return writer.WriteHeader(header)
		}
		if err := writer.WriteHeader(header); err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil {
			_, err = writer.Write(content)
		}
		return err
	})
	if err == nil && unclosed {
		err = writer.Flush()
	} else if err == nil {
		err = writer.Close()
	}
	if err == nil {
		err = deflated.Close()
	}
	return err
}

func main() {
	if len(os.Args) == 4 {
		if err := write(os.Args[1], os.Args[2], os.Args[3]); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		return
	}
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
