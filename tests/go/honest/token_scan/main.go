// Words without one of their letters, made in one small buffer and counted as strings.
package main

import (
	"bufio"
	"fmt"
	"sort"
	"strings"
)

func main() {
	sc := bufio.NewScanner(strings.NewReader(strings.Repeat("the quick brown fox jumps over the lazy dog again and again\n", 60)))
	sc.Split(bufio.ScanWords)
	cnt := map[string]int{}
	word := make([]byte, 0, 32)
	for sc.Scan() {
		word = word[:0]
		for _, c := range sc.Bytes() {
			if c != 'o' {
				word = append(word, c)
			}
		}
		cnt[string(word)]++
	}
	ks := make([]string, 0, len(cnt))
	for k := range cnt {
		ks = append(ks, k)
	}
	sort.Strings(ks)
	for _, k := range ks {
		fmt.Print(k, "=", cnt[k], " ")
	}
	fmt.Println()
}
