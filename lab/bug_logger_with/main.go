// Loggers made by With from one parent: each sorts its own pair in behind the parent's pairs.
package main

import (
	"fmt"
	"strings"
)

type logger struct {
	name    string
	implied []any
	out     *strings.Builder
}

func (l *logger) With(pairs ...any) *logger {
	child := *l
	child.implied = append(l.implied, pairs...) // want: ghost-write victim=implied before="alpha" after="beta"
	return &child
}

func (l *logger) Info(msg string) {
	fmt.Fprintf(l.out, "%s: %s", l.name, msg)
	for i := 0; i+1 < len(l.implied); i += 2 {
		fmt.Fprintf(l.out, " %v=%v", l.implied[i], l.implied[i+1])
	}
	l.out.WriteByte('\n')
}

func main() {
	root := &logger{name: "app", out: &strings.Builder{}}
	for i := 0; i < 3; i++ {
		root = root.With("depth", i) // len 6, cap 8 in the end
	}
	first := root.With("request", "alpha")
	second := root.With("request", "beta")
	second.Info("done")
	first.Info("done")

	fmt.Print(root.out)
	if !strings.HasSuffix(root.out.String(), "request=alpha\n") {
		fmt.Println("WRONG: the first request is logged as the second")
		return
	}
	fmt.Println("OK")
}
