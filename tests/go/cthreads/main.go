// Threads that C made call into Go, and the bug is in what they call.
package main

/*
#cgo LDFLAGS: -lpthread
#include <pthread.h>

extern void goOrder(int n);

static void *body(void *p) { goOrder((int)(long)p); return 0; }

static void in_threads(int count) {
	for (long i = 0; i < count; i++) {
		pthread_t t;
		if (pthread_create(&t, 0, body, (void *)i) == 0) pthread_join(t, 0);
	}
}
*/
import "C"

import (
	"fmt"
	"strings"
)

var (
	basket = append(make([]string, 0, 4), "tea", "milk", "sugar")
	orders [2][]string
)

//export goOrder
func goOrder(n C.int) {
	extra := []string{"gift", "receipt"}[n]
	orders[n] = append(basket, extra) // want: ghost-write before="gift" after="receipt"
}

func main() {
	C.in_threads(2)
	fmt.Println("first:", strings.Join(orders[0], " "))
	if orders[0][3] != "gift" {
		fmt.Println("WRONG: not what was ordered first")
	}
}
