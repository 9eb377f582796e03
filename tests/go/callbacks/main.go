// Threads that C made call into Go without a pause, and come and go, for geist to attach to meanwhile. Prints "ready PID",
// works until standard input ends, then prints how often it was called and how often a result was not what it should be.
package main

/*
#cgo LDFLAGS: -lpthread
#include <pthread.h>

extern int goAdd(int n);

static volatile int over;
static long calls, wrong;

static void *body(void *p) {
	for (int n = 0; n < 2000 && !over; n++) {
		if (goAdd(n) != 3 * n + 3) __sync_add_and_fetch(&wrong, 1);
		__sync_add_and_fetch(&calls, 1);
	}
	return 0;
}

static void rounds(void) {
	while (!over) {
		pthread_t t[4];
		int n = 0;
		while (n < 4 && pthread_create(&t[n], 0, body, 0) == 0) n++;
		while (n > 0) pthread_join(t[--n], 0);
	}
}

static void end(void) { over = 1; }
static long all(void) { return calls; }
static long bad(void) { return wrong; }
*/
import "C"

import (
	"fmt"
	"io"
	"os"
)

//export goAdd
func goAdd(n C.int) C.int {
	buf := make([]C.int, 0, 4)
	for i := 0; i < 3; i++ { // reuse: overwrites each time
		buf = append(buf[:0], n, n+1, n+2)
	}
	return buf[0] + buf[1] + buf[2]
}

func main() {
	done := make(chan bool)
	go func() {
		C.rounds()
		done <- true
	}()
	fmt.Println("ready", os.Getpid())
	io.Copy(io.Discard, os.Stdin)
	C.end()
	<-done
	fmt.Println("called", C.all() > 1000, "failed", C.bad())
}
