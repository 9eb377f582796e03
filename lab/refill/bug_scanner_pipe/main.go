// A feed comes in through a pipe. The name of the station is kept as the Scanner gave it, while the pipe fills the Scanner's
// buffer again.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
)

type station struct {
	name     []byte
	readings int
}

// listen reads until the feed ends; what sc.Bytes gives is good until the next Scan.
func listen(sc *bufio.Scanner) *station {
	s := &station{}
	for sc.Scan() { // want: refilled-buffer victim=name level=confirmed
		line := sc.Bytes()
		if name, is := bytes.CutPrefix(line, []byte("station ")); is {
			s.name = name
		} else {
			s.readings++
		}
	}
	return s
}

func main() {
	from, to, err := os.Pipe()
	if err != nil {
		fmt.Println("WRONG:", err)
		return
	}
	taken := make(chan bool)
	go func() {
		fmt.Fprintln(to, "station north pier")
		for i := 0; i < 250; i++ {
			fmt.Fprintf(to, "reading %d: %x\n", i, sha256.Sum256([]byte{byte(i)}))
		}
		to.Close()
		close(taken)
	}()
	s := listen(bufio.NewScanner(from))
	<-taken

	fmt.Println(s.readings, "readings")
	if string(s.name) != "north pier" {
		fmt.Println("WRONG: that is no station")
		return
	}
	fmt.Println("OK")
}
