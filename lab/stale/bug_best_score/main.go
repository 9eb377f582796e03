// The best score is remembered by its address, and more scores come in: the bonus goes to nobody.
package main

import "fmt"

type board struct {
	scores []int
	best   *int
}

func (b *board) enter(score int) {
	b.scores = append(b.scores, score) // want: stale-slice victim=best level=confirmed
	if b.best == nil || score > *b.best {
		b.best = &b.scores[len(b.scores)-1]
	}
}

var boards = map[string]*board{}

func main() {
	boards["today"] = &board{}
	for _, s := range []int{7, 12, 5, 9, 3} {
		boards["today"].enter(s)
	}
	*boards["today"].best += 100
	sum := 0
	for _, s := range boards["today"].scores {
		sum += s
	}
	if sum != 136 {
		fmt.Println("WRONG: all scores are", sum)
		return
	}
	fmt.Println("OK")
}
