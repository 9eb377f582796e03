// Go and C call each other, in threads that either side made, with appends on both sides of the border.
package main

/*
#cgo LDFLAGS: -lpthread
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

extern int goCallback(int n);

static int twice(int n) { return goCallback(n) + goCallback(n + 1); }

static void *body(void *p) { *(int *)p = goCallback(*(int *)p); return 0; }

static int in_thread(int n) {
	pthread_t t;
	if (pthread_create(&t, 0, body, &n)) return -1;
	pthread_join(t, 0);
	return n;
}
*/
import "C"

import (
	"fmt"
	"sync"
)

var (
	mu  sync.Mutex
	buf []int
)

//export goCallback
func goCallback(n C.int) C.int {
	mu.Lock()
	defer mu.Unlock()
	buf = buf[:0]
	sum := 0
	for i := 0; i < int(n)%10+3; i++ {
		buf = append(buf, i*int(n))
	}
	for _, v := range buf {
		sum += v
	}
	return C.int(sum)
}

func main() {
	total := 0
	for i := 0; i < 200; i++ {
		total += int(C.twice(C.int(i)))
	}
	var wg sync.WaitGroup
	results := make([]int, 16)
	for g := range results {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			for i := 0; i < 10; i++ {
				results[g] += int(C.in_thread(C.int(g + i)))
			}
		}(g)
	}
	wg.Wait()
	text := C.CString("from C")
	defer C.free(nil)
	fmt.Println(total, results, C.GoString(text))
}
