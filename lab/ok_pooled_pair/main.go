// Two pools: workers put scratch memory back when they have written its result elsewhere, through a
// method value and through an interface.
package main

import (
	"fmt"
	"sync"
)

type putter interface{ Put(any) }

type scratch struct{ digits []byte }

var (
	small = &sync.Pool{New: func() any { return &scratch{make([]byte, 0, 8)} }}
	large = &sync.Pool{New: func() any { return &scratch{make([]byte, 0, 64)} }}
)

func digits(n int, s *scratch, back putter) (sum int) {
	s.digits = s.digits[:0]
	for ; n > 0; n /= 10 {
		s.digits = append(s.digits, byte(n%10))
	}
	for _, d := range s.digits {
		sum += int(d)
	}
	back.Put(s)
	return sum
}

func main() {
	release := large.Put
	var wait sync.WaitGroup
	sums := make([]int, 40)
	for w := 0; w < 4; w++ {
		wait.Add(1)
		go func(w int) {
			defer wait.Done()
			for i := w; i < len(sums); i += 4 {
				sums[i] = digits(i*37, small.Get().(*scratch), small)
				s := large.Get().(*scratch)
				s.digits = append(s.digits[:0], byte(i))
				release(s)
			}
		}(w)
	}
	wait.Wait()
	total := 0
	for _, s := range sums {
		total += s
	}
	if total != 519 {
		fmt.Println("WRONG", total)
		return
	}
	fmt.Println("OK")
}
