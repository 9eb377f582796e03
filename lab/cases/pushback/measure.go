package main

import (
	"container/list"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

type triple struct{ a, b, c int }

const pushes = 2000

// What the compiler cannot know.
var (
	five     = len(os.Args) + 3 - len(os.Args) + 2
	thousand = five * 200
	word     = strconv.Itoa(thousand)
	three    = triple{thousand, five, 1}
	pointer  = &three
)

// Each function pushes one kind of value; the comment is how measure finds the line in what the compiler says.
var pushers = map[string]func(l *list.List){
	"nil":           func(l *list.List) { l.PushBack(nil) },
	"int-5":         func(l *list.List) { l.PushBack(five) },     // push: int-5
	"int-1000":      func(l *list.List) { l.PushBack(thousand) }, // push: int-1000
	"constant-1000": func(l *list.List) { l.PushBack(1000) },     // push: constant-1000
	"string":        func(l *list.List) { l.PushBack(word) },     // push: string
	"struct-24":     func(l *list.List) { l.PushBack(three) },    // push: struct-24
	"pointer":       func(l *list.List) { l.PushBack(pointer) },  // push: pointer
}

func measure() {
	escapes := compilerSays()
	bytes := map[string]float64{}
	for name, push := range pushers {
		bytes[name] = perPush(push)
		fmt.Printf("fact bytes[%s] %.0f\n", name, bytes[name])
	}
	for name, does := range escapes {
		fmt.Printf("fact escapes[%s] %s\n", name, does)
		if does == "yes" {
			fmt.Printf("fact extra_bytes[%s] %.0f\n", name, bytes[name]-bytes["nil"])
		}
	}
}

// perPush counts what was really allocated, by the runtime's own counter.
func perPush(push func(l *list.List)) float64 {
	l := list.New()
	push(l)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := 0; i < pushes; i++ {
		push(l)
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / pushes
}

// compilerSays builds this package again with -gcflags=-m and looks for what escapes in the lines with a push.
func compilerSays() map[string]string {
	_, self, _, _ := runtime.Caller(0)
	source, err := os.ReadFile(self)
	if err != nil {
		cannot(err.Error())
		return nil
	}
	command := exec.Command("go", "build", "-gcflags=-m", "-o", os.DevNull, ".")
	command.Dir = filepath.Dir(self)
	out, err := command.CombinedOutput()
	if err != nil {
		line, _, _ := strings.Cut(string(out), "\n")
		cannot(fmt.Sprintf("go build -gcflags=-m: %v %s", err, line))
		return nil
	}
	escapes := map[string]string{}
	for i, line := range strings.Split(string(source), "\n") {
		_, name, found := strings.Cut(line, "// push: ")
		if !found || strings.Contains(line, "Cut(") {
			continue
		}
		escapes[name] = "no"
		place := fmt.Sprintf("measure.go:%d:", i+1)
		for _, said := range strings.Split(string(out), "\n") {
			if strings.Contains(said, place) && strings.HasSuffix(said, "escapes to heap") && !strings.Contains(said, "func literal") &&
				!strings.Contains(said, "Element{") {
				escapes[name] = "yes"
			}
		}
	}
	return escapes
}

func cannot(why string) {
	fmt.Printf("cannot escapes %s\ncannot extra_bytes %s\n", why, why)
}
