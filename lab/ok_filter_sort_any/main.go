// Values of mixed kinds: nil is dropped in place, the variable takes the result, and a generic sort puts them in order. The
// slice is of interfaces, and the old header ends at the assignment.
package main

import (
	"fmt"
	"slices"
)

func rank(v any) int {
	switch v := v.(type) {
	case int:
		return v
	case string:
		return 100 + len(v)
	case []byte:
		return 200 + len(v)
	case float64:
		return 250
	}
	return 300
}

func ordered(values []any) string {
	kept := values[:0]
	for i := 0; i < len(values); i++ {
		if rank(values[i]) < 300 {
			kept = append(kept, values[i])
		}
	}
	values = kept
	slices.SortFunc(values, func(a, b any) int { return rank(a) - rank(b) })
	text := ""
	for _, v := range values {
		text += fmt.Sprintf("%v;", v)
	}
	return text
}

func main() {
	for _, c := range []struct {
		in   []any
		want string
	}{
		{[]any{"abc", 7, "z", 3, 5}, "3;5;7;z;abc;"},
		{[]any{[]byte("x"), 3.5, "q", nil, 1}, "1;q;[120];3.5;"},
		{[]any{9, nil, 8, nil, 7, 6}, "6;7;8;9;"},
	} {
		if got := ordered(c.in); got != c.want {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
