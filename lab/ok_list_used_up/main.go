// Players leave a round one after the other: the list is shifted in place and replaced each time, by
// a function that is inlined, and who was left is read from the list as it is then.
package main

import "fmt"

type player struct{ id, points int }

type round struct {
	players []player
	out     []int
}

func remove[T any](s []T, i int) []T { return append(s[:i], s[i+1:]...) }

func (r *round) worst() int {
	worst := 0
	for i, p := range r.players {
		if p.points < r.players[worst].points {
			worst = i
		}
	}
	return worst
}

func main() {
	r := &round{}
	for i := 0; i < 7; i++ {
		r.players = append(r.players, player{i, i * i * 5 % 11})
	}
	sum := 0
	for len(r.players) > 1 {
		worst := r.worst()
		r.out = append(r.out, r.players[worst].id)
		r.players = remove(r.players, worst)
		for _, p := range r.players {
			sum += p.points
		}
	}
	if len(r.out) != 6 || len(r.players) != 1 {
		fmt.Println("WRONG:", r.out)
		return
	}
	fmt.Println("OK", r.out, r.players, sum)
}
