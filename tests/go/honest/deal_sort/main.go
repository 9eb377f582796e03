// Counting into buckets that are cut from one arena, written back over the list by a helper.
// heal-changes: whoever has the slice is meant to see what is written
package main

import "fmt"

type card struct {
	suit, rank int
}

func flush(dst []card, bucket []card) []card {
	for _, c := range bucket {
		dst = append(dst, c)
	}
	return dst
}

type dealer struct{ arena []card }

func (d *dealer) sort(hand []card, key func(card) int, n int) {
	if need := n * len(hand); len(d.arena) < need {
		d.arena = make([]card, need)
	}
	buckets := make([][]card, n)
	for i := range buckets {
		buckets[i] = d.arena[i*len(hand) : i*len(hand) : (i+1)*len(hand)]
	}
	for _, c := range hand {
		k := key(c)
		buckets[k] = append(buckets[k], c)
	}
	dst := hand[:0]
	for _, b := range buckets {
		dst = flush(dst, b)
	}
}
func main() {
	d := &dealer{}
	for round := 0; round < 40; round++ {
		hand := make([]card, 13)
		for i := range hand {
			hand[i] = card{(i*7 + round) % 4, (i*5+round*3)%13 + 1}
		}
		d.sort(hand, func(c card) int { return c.rank }, 14)
		d.sort(hand, func(c card) int { return c.suit }, 4)
		for i := 1; i < len(hand); i++ {
			a, b := hand[i-1], hand[i]
			if a.suit > b.suit || a.suit == b.suit && a.rank > b.rank {
				fmt.Println("WRONG", hand)
				return
			}
		}
	}
	fmt.Println("OK")
}
