package main

import (
	"bytes"
	"container/list"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
)

const growing = 3

// grow and overwrite are run under gdb. Nothing before main.main counts: the breakpoint is set there.
//
//go:noinline
func grow() {
	for i := 0; i < growing; i++ {
		kept = collect(make([]string, 2), "grown")
	}
}

//go:noinline
func overwrite() {
	events := make([]string, 2, 4)
	first := collect(events, "login")
	kept = collect(events, "logout")
	if first[2] != "logout" {
		os.Exit(7)
	}
}

var (
	kept   []string
	blocks [][]byte
)

func measure() {
	deferred()
	gdb()
	profile()
}

func deferred() {
	l := list.New()
	l.PushBack("a")
	e := l.PushBack("b")
	did := 0
	func() {
		defer func() {
			if recover() != nil {
				did = 1
			}
		}()
		defer l.Remove(e)
		defer l.Remove(e)
	}()
	fmt.Printf("fact defer_panics %d\nfact defer_left %d\n", did, l.Len())
}

var stop = regexp.MustCompile(`(?m)^(?:Thread .* hit )?Breakpoint \d+, .*runtime\.growslice`)

// under runs this program with a word in gdb, stops at growslice after main.main was reached, and prints as the article does.
func under(path, word string) (string, error) {
	commands := []string{"-nx", "-batch", "-ex", "set startup-with-shell off", "-ex", "set confirm off", "-ex", "handle SIGURG nostop noprint pass",
		"-ex", "break main." + word, "-ex", "run " + word, "-ex", "break runtime.growslice", "-ex", "continue", "-ex", "p *slice.ptr"}
	for i := 0; i < growing+1; i++ {
		commands = append(commands, "-ex", "continue")
	}
	commands = append(commands, os.Args[0])
	out, err := exec.Command(path, commands...).CombinedOutput()
	return string(out), err
}

func gdb() {
	cannot := func(why string) {
		for _, name := range []string{"gdb_stops_growing", "gdb_stops_overwriting", "gdb_prints_array"} {
			fmt.Printf("cannot %s %s\n", name, why)
		}
	}
	path, err := exec.LookPath("gdb")
	if err != nil {
		cannot("no gdb in PATH")
		return
	}
	grown, err := under(path, "grow")
	if !strings.Contains(grown, "main.grow") {
		line, _, _ := strings.Cut(strings.TrimSpace(grown), "\n")
		cannot(fmt.Sprintf("gdb does not stop in this program: %v %s", err, line))
		return
	}
	overwritten, _ := under(path, "overwrite")
	fmt.Printf("fact gdb_growing %d\nfact gdb_stops_growing %d\n", growing, len(stop.FindAllString(grown, -1)))
	fmt.Printf("fact gdb_overwriting 1\nfact gdb_stops_overwriting %d\n", len(stop.FindAllString(overwritten, -1)))
	says, prints := "nothing", 0
	for _, line := range strings.Split(grown, "\n") {
		if strings.HasPrefix(line, "$1 = ") {
			says, prints = line, 1
		} else if strings.HasPrefix(line, "No symbol") || strings.HasPrefix(line, "There is no member") {
			says = line
		}
	}
	fmt.Printf("fact gdb_prints_array %d\nfact gdb_says %s\n", prints, says)
}

//go:noinline
func fill() {
	for i := 0; i < 200; i++ {
		blocks = append(blocks, make([]byte, 64<<10))
	}
}

func profile() {
	runtime.MemProfileRate = 1
	fill()
	runtime.GC()
	var text bytes.Buffer
	heap := pprof.Lookup("heap")
	if err := heap.WriteTo(&text, 1); err != nil {
		panic(err)
	}
	names, caller := 0, "no"
	// Of this program's own allocations: those that the runtime makes for itself show its functions.
	for _, record := range strings.Split(text.String(), "\n\n") {
		if !strings.Contains(record, "main.") {
			continue
		}
		for _, line := range strings.Split(record, "\n") {
			if strings.Contains(line, "growslice") || strings.Contains(line, "append") {
				names++
			}
			if strings.Contains(line, "main.fill") {
				caller = "yes"
			}
		}
	}
	fmt.Printf("fact debug1_names_append %d\nfact debug1_names_caller %s\n", names, caller)

	folder, err := os.MkdirTemp("", "profile")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "heap")
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	if err := heap.WriteTo(file, 0); err != nil {
		panic(err)
	}
	file.Close()
	all, _, err := rows("-top", path)
	if err != nil {
		fmt.Printf("cannot focus_rows go tool pprof: %v\n", err)
		return
	}
	focused, percent, _ := rows("-top", "-focus=append|make", path)
	fmt.Printf("fact all_rows %d\nfact focus_rows %d\nfact focus_percent %s\n", all, focused, percent)
}

var share = regexp.MustCompile(`accounting for [^,]*, ([0-9.]+)% of`)

// rows counts what go tool pprof prints below the head of its table; with the percentage of everything that it accounts for.
func rows(arguments ...string) (int, string, error) {
	out, err := exec.Command("go", append([]string{"tool", "pprof"}, arguments...)...).CombinedOutput()
	count, in, percent := 0, false, "0"
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if in && line != "" {
			count++
		}
		in = in || strings.Contains(line, "flat%")
		if found := share.FindStringSubmatch(line); found != nil {
			percent = found[1]
		}
		if strings.Contains(line, "no matches") {
			return 0, "0", nil
		}
	}
	return count, percent, err
}
