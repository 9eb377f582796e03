// A tape of blocks is read into one buffer, and the label of the first block is kept as a part of it.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

const blockSize = 64

type tape struct {
	file  *os.File
	block []byte
}

// next reads a block; it is good until the next one is read.
func (t *tape) next() ([]byte, error) {
	n, err := t.file.Read(t.block) // want: refilled-buffer victim=label level=likely
	return t.block[:n], err
}

type volume struct {
	label  []byte
	blocks int
}

func scan(t *tape) *volume {
	v := &volume{}
	for {
		block, err := t.next()
		if err == io.EOF {
			return v
		}
		if err != nil {
			fmt.Println("WRONG:", err)
			os.Exit(0)
		}
		if v.blocks == 0 {
			v.label = bytes.TrimRight(block[:16], " ")
		}
		v.blocks++
	}
}

func write(file *os.File) {
	for i := 0; i < 12; i++ {
		label := fmt.Sprintf("%-16s", fmt.Sprintf("volume %c", 'A'+i))
		fmt.Fprintf(file, "%s%48d", label, i*i)
	}
	file.Seek(0, io.SeekStart)
}

func main() {
	file, err := os.CreateTemp("", "tape")
	if err != nil {
		fmt.Println("WRONG:", err)
		return
	}
	os.Remove(file.Name())
	write(file)
	v := scan(&tape{file, make([]byte, blockSize)})

	fmt.Printf("%d blocks of %q\n", v.blocks, v.label)
	if string(v.label) != "volume A" {
		fmt.Println("WRONG: that is the label of another block")
		return
	}
	fmt.Println("OK")
}
