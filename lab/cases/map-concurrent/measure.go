package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
)

const (
	runs        = 100
	recoverRuns = 20
	steps       = 100000 // of each goroutine
)

func leftSide(m map[int]int) {
	for i := 0; i < steps; i++ {
		m[i%64] = i
	}
}

func rightSideWrites(m map[int]int) {
	for i := 0; i < steps; i++ {
		m[i%64+32] = i
	}
}

func rightSideReads(m map[int]int) {
	sum := 0
	for i := 0; i < steps; i++ {
		sum += m[i%64]
	}
	keep = sum
}

func rightSideRanges(m map[int]int) {
	sum := 0
	for i := 0; i < steps/50; i++ {
		for _, v := range m {
			sum += v
		}
	}
	keep = sum
}

func bothRead(m map[int]int) { rightSideReads(m) }

var keep int

// victim is what is run a hundred times.
func victim(kind string) {
	left := leftSide
	right := map[string]func(map[int]int){
		"write-write": rightSideWrites, "read-write": rightSideReads, "range-write": rightSideRanges, "read-read": bothRead,
		"recover": rightSideWrites,
	}[kind]
	if kind == "read-read" {
		left = bothRead
	}
	m := map[int]int{}
	for i := 0; i < 64; i++ {
		m[i] = i
	}
	var wg sync.WaitGroup
	start := make(chan bool)
	for _, side := range []func(map[int]int){left, right} {
		wg.Add(1)
		go func(side func(map[int]int)) {
			defer wg.Done()
			defer func() {
				if kind == "recover" && recover() != nil {
					fmt.Println("recovered")
				}
			}()
			<-start
			side(m)
		}(side)
	}
	close(start)
	wg.Wait()
}

type ending struct {
	died    bool
	message string // after "fatal error: "
	left    bool   // the trace names this side
	right   bool
	out     string
}

func run(kind string) ending {
	command := exec.Command(os.Args[0], "measure", kind)
	var trace strings.Builder
	var out strings.Builder
	command.Stdout, command.Stderr = &out, &trace
	err := command.Run()
	text := trace.String()
	e := ending{died: err != nil, left: strings.Contains(text, "main.leftSide("), right: strings.Contains(text, "main.rightSide"), out: out.String()}
	if _, rest, found := strings.Cut(text, "fatal error: "); found {
		e.message, _, _ = strings.Cut(rest, "\n")
	}
	return e
}

func measure() {
	if runtime.NumCPU() == 1 {
		for _, name := range []string{"died_percent", "says_writes_percent", "recovered", "both_named"} {
			fmt.Printf("cannot %s there is one processor, so nothing is at the same time\n", name)
		}
		return
	}
	fmt.Println("fact runs", runs)
	one, both, bothDied := 0, 0, 0
	others := map[string]int{}
	for _, kind := range []string{"write-write", "read-write", "range-write", "read-read"} {
		died, writes := 0, 0
		for i := 0; i < runs; i++ {
			e := run(kind)
			if !e.died {
				continue
			}
			died++
			if e.message == "concurrent map writes" {
				writes++
			} else {
				others[e.message]++
			}
			bothDied++
			if e.left != e.right {
				one++
			}
			if e.left && e.right {
				both++
			}
		}
		fmt.Printf("fact died_percent[%s] %.0f\n", kind, 100*float64(died)/runs)
		if died > 0 {
			fmt.Printf("fact says_writes_percent[%s] %.0f\n", kind, 100*float64(writes)/float64(died))
		}
	}
	other := "nothing else"
	most := 0
	for message, n := range others {
		if n > most {
			other, most = message, n
		}
	}
	fmt.Println("fact other_message", other)
	if bothDied == 0 {
		fmt.Println("cannot both_named no run died")
	} else {
		fmt.Printf("fact one_named %d\nfact both_named %d\nfact both_died %d\n", one, both, bothDied)
	}
	recovered, recoverDied := 0, 0
	for i := 0; i < recoverRuns; i++ {
		e := run("recover")
		if strings.Contains(e.out, "recovered") {
			recovered++
		}
		if e.died || strings.Contains(e.out, "recovered") {
			recoverDied++
		}
	}
	if recoverDied == 0 {
		fmt.Println("cannot recovered no run with a recover died")
		return
	}
	fmt.Printf("fact recovered %d\nfact recover_runs %d\n", recovered, recoverDied)
}
