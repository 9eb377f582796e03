// A divide-and-conquer count of inversions over one workspace that its caller owns: the workspace is cut for the first half, then for
// the second, and filled from its start by each.
package main

import "fmt"

type counter struct{ work []string }

func (c *counter) inversions(words, work []string) int {
	if len(words) < 2 {
		return 0
	}
	m := len(words) / 2
	n := c.inversions(words[:m], work[:m]) + c.inversions(words[m:], work[m:len(words)])
	out := work[:0]
	i, j := 0, m
	for i < m || j < len(words) {
		if j == len(words) || i < m && words[i] <= words[j] {
			out = append(out, words[i])
			i++
		} else {
			out = append(out, words[j])
			n += m - i
			j++
		}
	}
	copy(words, out)
	return n
}

func slow(words []string) int {
	n := 0
	for i := range words {
		for j := i + 1; j < len(words); j++ {
			if words[i] > words[j] {
				n++
			}
		}
	}
	return n
}

func main() {
	c := &counter{work: make([]string, 200)}
	for round := 1; round <= 6; round++ {
		words := make([]string, 150+round)
		for i := range words {
			words[i] = fmt.Sprintf("w%03d", i*37*round%151)
		}
		want := slow(words)
		if got := c.inversions(words, c.work); got != want {
			fmt.Println("WRONG:", round, got, want)
			return
		}
	}
	fmt.Println("OK")
}
