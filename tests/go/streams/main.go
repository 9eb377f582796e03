// Copies its input to its output and says on standard error what it was; "out N" writes N KiB to both.
package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strconv"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "out" {
		n, _ := strconv.Atoi(os.Args[2])
		line := make([]byte, 0, 1024)
		w := bufio.NewWriterSize(os.Stdout, 3000)
		for i := 0; i < n; i++ {
			line = append(line[:0], strconv.Itoa(i)...)
			for len(line) < 1023 {
				line = append(line, byte('a'+(i+len(line))%26))
			}
			line = append(line, '\n')
			w.Write(line)
			if i%64 == 0 {
				os.Stderr.Write(line)
			}
		}
		w.Flush()
		return
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(os.Stdout, h), os.Stdin)
	fmt.Fprintf(os.Stderr, "%d bytes, %x, %v\n", n, h.Sum(nil), err)
}
