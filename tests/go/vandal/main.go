// Scribbles over the memory that it shares with geist, all the time, while it appends and overwrites: geist may lose what it
// likes, but must neither fall over nor change the result.
package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"os"
	"strings"
	"unsafe"
)

// The page in front of the ring and the records of the sites, further back in the same file, say where the runtime in this
// process finds things: who changes those harms himself.
const controlBytes = 4096
const slotBytes = 16 + 272 + 256 + 16384

func shared() []byte {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var begin, end, offset uintptr
		var rights string
		fmt.Sscanf(lines.Text(), "%x-%x %s %x", &begin, &end, &rights, &offset)
		if strings.Contains(lines.Text(), "geist-ring") && offset == 0 {
			return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&begin))), end-begin)[controlBytes:]
		}
	}
	return nil
}

func scribble(memory []byte, seed int64) {
	dice := rand.New(rand.NewSource(seed))
	for i := 0; i < 20000 && len(memory) > 0; i++ {
		at := dice.Intn(len(memory))
		switch dice.Intn(3) {
		case 0:
			memory[at] = byte(dice.Int())
		case 1:
			for j := at; j < at+64 && j < len(memory); j++ {
				memory[j] = 0xff
			}
		case 2: // where the fields of events are
			if at = at/slotBytes*slotBytes + dice.Intn(320); at < len(memory) {
				memory[at] ^= 1 << dice.Intn(8)
			}
		}
	}
}

func main() {
	memory := shared()
	var line []int
	sum := 0
	for round := 0; round < 100; round++ {
		go scribble(memory, int64(round))
		for i := 0; i < 2000; i++ {
			line = append(line[:i%40], i)
			sum += line[len(line)-1] * len(line)
		}
	}
	base := append(make([]string, 0, 4), "log", "gzip")
	a, b := append(base, "admin"), append(base, "public")
	fmt.Println("sum", sum, a[2], b[2])
}
