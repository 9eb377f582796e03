// Arguments of two queries begin with the same ones; the second append takes the slot of the first query's argument. The second
// query's arguments are shuffled with a fixed seed, as a test of an unordered set would do it.
package main

import (
	"fmt"
	"math/rand"
)

type query struct {
	text string
	args []any
}

func (q *query) and(text string, arg any) *query {
	return &query{q.text + " and " + text, append(q.args, arg)} // want: ghost-write victim=args
}

func main() {
	base := &query{text: "select"}
	for i := 0; i < 5; i++ {
		base.args = append(base.args, i) // len 5, cap 8
	}
	byName, byAge := base.and("name = ?", "bo"), base.and("age = ?", 44)
	got := fmt.Sprint(byName.args[5], len(byName.args))
	r := rand.New(rand.NewSource(3))
	r.Shuffle(len(byAge.args), func(i, j int) { byAge.args[i], byAge.args[j] = byAge.args[j], byAge.args[i] })
	fmt.Println(byAge.text, len(byAge.args), byName.text)
	if got != "bo6" {
		fmt.Println("WRONG: name =", got)
		return
	}
	fmt.Println("OK")
}
