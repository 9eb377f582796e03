// log/slog with attributes and groups: handlers clip what they share.
package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

func drop(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func main() {
	var out strings.Builder
	base := slog.New(slog.NewTextHandler(io.Writer(&out), &slog.HandlerOptions{ReplaceAttr: drop}))
	base = base.With("a", 1).With("b", 2).WithGroup("g")
	for i := 0; i < 60; i++ {
		first, second := base.With("who", "first"), base.With("who", "second")
		second.Info("x", "n", i)
		first.Info("x", "n", i)
	}
	text := out.String()
	if strings.Count(text, "g.who=first") != 60 || strings.Count(text, "g.who=second") != 60 {
		fmt.Println("WRONG:", text[:200])
		return
	}
	fmt.Println("OK")
}
