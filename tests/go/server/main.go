// An HTTP server with its own load on loopback, for attach: every answer is checked, and nothing may fail while geist comes
// and goes. Reused buffers are overwritten all the time, and one ghost write happens over and over.
//
//	server [-seconds N] [-clients N]
//
// Prints "ready PID", serves until the time is over or standard input ends, then prints the counts: requests, failed ones.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var requests, failed atomic.Int64

var (
	room          = 4 // a variable: where the compiler knows that there is room, it leaves no call of growslice
	lock          sync.RWMutex
	admin, public []string
)

func makeRoutes() {
	lock.Lock()
	defer lock.Unlock()
	base := append(make([]string, 0, room), "log", "gzip")
	admin = append(base, "admin")
	public = append(base, "public") // want: ghost-write
}

func handle(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	var line []byte
	for i := 0; i < 50; i++ {
		line = strconv.AppendInt(line[:0], int64(n+i), 10)
	}
	lock.RLock()
	first := admin[0]
	seen := admin[2]
	lock.RUnlock()
	if first != "log" || seen == "" {
		failed.Add(1)
	}
	w.Write(line)
}

func client(url string, number int, stop *atomic.Bool, done *sync.WaitGroup) {
	defer done.Done()
	c := &http.Client{Timeout: 30 * time.Second}
	for n := number; !stop.Load(); n += 7 {
		r, err := c.Get(url + "?n=" + strconv.Itoa(n))
		requests.Add(1)
		if err != nil {
			failed.Add(1)
			fmt.Fprintln(os.Stderr, "failed:", err)
			continue
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if want := []byte(strconv.Itoa(n + 49)); err != nil || !bytes.Equal(body, want) {
			failed.Add(1)
			fmt.Fprintf(os.Stderr, "failed: %q, expected %q, %v\n", body, want, err)
		}
	}
}

// Hot loops without calls: they are preempted anywhere, between the comparison and the branch of their append, too.
func spin(stop *atomic.Bool, done *sync.WaitGroup) {
	defer done.Done()
	var buffer []int
	for n := 0; !stop.Load(); n++ {
		buffer = buffer[:0]
		for i := 0; i < 5000; i++ {
			buffer = append(buffer, i*n)
		}
		for i, v := range buffer {
			if v != i*n {
				failed.Add(1)
				fmt.Fprintf(os.Stderr, "failed: buffer[%d] is %d, expected %d\n", i, v, i*n)
			}
		}
		if n%64 == 0 {
			time.Sleep(time.Millisecond) // leave room on small machines
		}
	}
}

func main() {
	seconds := flag.Float64("seconds", 0, "end after this time; 0: when standard input ends")
	clients := flag.Int("clients", 4, "")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/", handle)
	go http.Serve(listener, nil)
	makeRoutes()
	var stop atomic.Bool
	var done sync.WaitGroup
	for i := 0; i < *clients; i++ {
		done.Add(2)
		go client("http://"+listener.Addr().String(), i, &stop, &done)
		go spin(&stop, &done)
	}
	go func() {
		for !stop.Load() {
			for i := 0; i < 10; i++ {
				runtime.GC()
				time.Sleep(20 * time.Millisecond)
			}
			makeRoutes()
			lock.RLock()
			fmt.Fprint(io.Discard, admin[2])
			lock.RUnlock()
		}
	}()
	fmt.Println("ready", os.Getpid())
	if *seconds > 0 {
		time.Sleep(time.Duration(*seconds * float64(time.Second)))
	} else {
		io.Copy(io.Discard, os.Stdin)
	}
	stop.Store(true)
	done.Wait()
	fmt.Println("requests", requests.Load() > 0, "failed", failed.Load())
}
