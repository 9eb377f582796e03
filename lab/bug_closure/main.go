// Each handler closes over the chain that was made for it, and the chains share one spare slot.
package main

import "fmt"

type group struct {
	chain []func(string) string
}

func prefix(p string) func(string) string { return func(s string) string { return p + s } }

func (g *group) handler(last func(string) string) func(string) string {
	chain := append(g.chain, last) // want: ghost-write victim=chain|captured before="deny" after="allow"
	return func(s string) string {
		for _, f := range chain {
			s = f(s)
		}
		return s
	}
}

func deny(s string) string  { return "deny:" + s }
func allow(s string) string { return "allow:" + s }

func main() {
	g := &group{}
	for _, p := range []string{"a/", "b/", "c/"} {
		g.chain = append(g.chain, prefix(p))
	}
	handlers := map[string]func(string) string{}
	handlers["secret"] = g.handler(deny)
	handlers["open"] = g.handler(allow)

	got := handlers["secret"]("x")
	fmt.Println("secret:", got)
	if got != "deny:c/b/a/x" {
		fmt.Println("WRONG: the secret is", got)
		return
	}
	fmt.Println("OK")
}
