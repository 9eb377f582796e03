// A tournament: the winners of a round are kept in place in the slice of players, which is then sorted by what they have left.
// Elements are structs with a pointer, and the slice is a variable of main.
package main

import (
	"fmt"
	"slices"
)

type club struct{ name string }

type player struct {
	club  *club
	power int
	left  int32
}

//go:noinline
func order(p, q player) (strong, weak player) {
	if p.power < q.power {
		return q, p
	}
	return p, q
}

func main() {
	clubs := []*club{{"red"}, {"blue"}, {"green"}}
	var players []player
	for i := 0; i < 24; i++ {
		players = append(players, player{clubs[i%3], i*7%24 + 1, int32(100 - i)})
	}
	for len(players) > 1 {
		winners := players[:0]
		for i := 0; i+1 < len(players); i += 2 {
			p, q := order(players[i], players[i+1])
			p.left -= int32(q.power)
			winners = append(winners, p)
		}
		if len(players)%2 == 1 {
			winners = append(winners, players[len(players)-1])
		}
		players = winners
		slices.SortFunc(players, func(a, b player) int { return int(a.left - b.left) })
		for i := 1; i < len(players); i++ {
			if players[i].left < players[i-1].left {
				fmt.Println("WRONG:", players)
				return
			}
		}
	}
	if p := players[0]; p.power != 24 || p.club.name != "green" {
		fmt.Println("WRONG:", p.power, p.club.name)
		return
	}
	fmt.Println("OK")
}
