// Blocks of a file, one after the other, in one buffer; what is kept of a block is a copy, and the header is read anew each time.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

type entry struct {
	name []byte
	size int
}

type reader struct {
	file  *os.File
	block []byte
	head  []byte // of the block that is there
	sum   int
}

func (r *reader) entries() ([]entry, error) {
	var all []entry
	for off := int64(0); ; off += int64(len(r.block)) {
		n, err := r.file.ReadAt(r.block, off)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		r.head = r.block[:12]
		for _, b := range r.head {
			r.sum += int(b)
		}
		all = append(all, entry{bytes.Clone(bytes.TrimSpace(r.head)), n})
	}
}

func main() {
	file, err := os.CreateTemp("", "blocks")
	if err != nil {
		fmt.Println("WRONG:", err)
		return
	}
	os.Remove(file.Name())
	for i := 0; i < 40; i++ {
		fmt.Fprintf(file, "%12s%20d", fmt.Sprintf("part %d", i), i)
	}
	r := &reader{file: file, block: make([]byte, 32)}
	for i := 0; i < 3; i++ {
		all, err := r.entries()
		if err != nil || len(all) != 40 || string(all[7].name) != "part 7" || string(r.head) != "     part 39" {
			fmt.Println("WRONG:", err, len(all))
			return
		}
	}
	fmt.Println("OK", r.sum > 0)
}
