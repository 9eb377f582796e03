// Lines without comments: filtered in place, then sorted with sort.Sort. Both the local and the document's field get what
// append returned before anybody reads them again.
package main

import (
	"bytes"
	"fmt"
	"sort"
)

type byText [][]byte

func (b byText) Len() int           { return len(b) }
func (b byText) Less(i, j int) bool { return bytes.Compare(b[i], b[j]) < 0 }
func (b byText) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

type document struct {
	title, comment string
	lines          [][]byte
}

//go:noinline
func (d *document) clean() {
	lines := d.lines
	out := lines[:0]
	for i := 0; i < len(lines); i++ {
		if !bytes.HasPrefix(lines[i], []byte(d.comment)) {
			out = append(out, lines[i])
		}
	}
	lines = out
	d.lines = lines
	sort.Sort(byText(lines))
}

func main() {
	texts := []string{"pear\nfig\napple\n# fruit\nlime", "d\nc\nb\na", "#x\n9\n#y\n8\n7\n#z\n6"}
	want := []string{"apple|fig|lime|pear", "a|b|c|d", "6|7|8|9"}
	for i, text := range texts {
		d := &document{title: fmt.Sprint("text ", i), comment: "#", lines: bytes.Split([]byte(text), []byte("\n"))}
		d.clean()
		if got := string(bytes.Join(d.lines, []byte("|"))); got != want[i] {
			fmt.Println("WRONG:", d.title, got)
			return
		}
	}
	fmt.Println("OK")
}
