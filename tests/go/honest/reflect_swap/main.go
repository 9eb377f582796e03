// Doubles are dropped and elements swapped by reflection, for slices of any type: reflect.Append, Swapper, SetLen, Copy.
package main

import (
	"fmt"
	"reflect"
	"sort"
)

func unique(p any) {
	v := reflect.ValueOf(p).Elem()
	seen := map[any]bool{}
	out := v.Slice(0, 0)
	for i := 0; i < v.Len(); i++ {
		if k := v.Index(i).Interface(); !seen[k] {
			seen[k] = true
			out = reflect.Append(out, v.Index(i))
		}
	}
	v.Set(out)
	swap := reflect.Swapper(v.Interface())
	for i, j := 0, v.Len()-1; i < j; i, j = i+1, j-1 {
		swap(i, j)
	}
}

type pair struct {
	a string
	b int
}

func main() {
	for round := 1; round < 9; round++ {
		var words []string
		var pairs []pair
		var anys []any
		for i := 0; i < 12; i++ {
			words = append(words, fmt.Sprint("w", i*i%round))
			pairs = append(pairs, pair{fmt.Sprint("p", i%round), i % 3})
			anys = append(anys, i%(round+2), fmt.Sprint(i%2))
		}
		unique(&words)
		unique(&pairs)
		unique(&anys)
		fmt.Println(words, pairs, anys)
		sort.SliceStable(pairs, func(i, j int) bool { return pairs[i].b < pairs[j].b })
		v := reflect.ValueOf(&words).Elem()
		v.SetLen(v.Len() - 1)
		v.Set(reflect.AppendSlice(v, reflect.ValueOf([]string{"x", "y"})))
		fmt.Println(words, pairs, reflect.Copy(reflect.ValueOf(anys), reflect.ValueOf([]any{"c"})), anys[0])
	}
}
