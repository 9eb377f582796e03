// Buckets in an array: each is filtered in place through a pointer to the bucket, and bubble-sorted there. The bucket itself is
// the only holder, and is assigned before.
package main

import "fmt"

type entry struct {
	key   uint64
	value any
}

type table struct {
	buckets [4][]entry
}

func (t *table) put(key uint64, value any) {
	b := &t.buckets[key%4]
	*b = append(*b, entry{key, value})
}

//go:noinline
func bubble(b *[]entry) {
	for n := len(*b); n > 1; n-- {
		for k := 1; k < n; k++ {
			if (*b)[k].key < (*b)[k-1].key {
				(*b)[k], (*b)[k-1] = (*b)[k-1], (*b)[k]
			}
		}
	}
}

func (t *table) purge(bad func(entry) bool) {
	for i := range t.buckets {
		b := &t.buckets[i]
		all := *b
		kept := all[:0]
		for k := 0; k < len(all); k++ {
			if !bad(all[k]) {
				kept = append(kept, all[k])
			}
		}
		*b = kept
		bubble(b)
	}
}

func main() {
	t := &table{}
	for k := uint64(40); k > 0; k-- {
		t.put(k, fmt.Sprint("v", k))
	}
	t.purge(func(e entry) bool { return e.value == "v41" })
	t.purge(func(e entry) bool { return e.key > 32 })
	t.purge(func(e entry) bool { return e.value == "v8" })
	seen := uint64(0)
	for i := range t.buckets {
		for k, e := range t.buckets[i] {
			if k > 0 && e.key <= t.buckets[i][k-1].key || e.value != fmt.Sprint("v", e.key) {
				fmt.Println("WRONG:", t.buckets[i])
				return
			}
			seen += e.key
		}
	}
	if seen != 32*33/2-8 {
		fmt.Println("WRONG:", seen)
		return
	}
	fmt.Println("OK")
}
