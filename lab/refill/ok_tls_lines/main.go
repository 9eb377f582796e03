// Lines over TLS, whose records are deciphered in the buffer that they were read into.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

func main() {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for i := 0; i < 200; i++ {
			fmt.Fprintf(w, "%s answer %d\n", body, i)
		}
	}))
	defer s.Close()
	c := s.Client()
	var firsts []string
	lines := 0
	for i := 0; i < 20; i++ {
		resp, err := c.Post(s.URL, "text/plain", strings.NewReader(fmt.Sprint("question ", i)))
		if err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		sc := bufio.NewScanner(resp.Body)
		for first := true; sc.Scan(); first = false {
			if first {
				firsts = append(firsts, sc.Text())
			}
			lines++
		}
		resp.Body.Close()
	}
	if lines != 4000 || firsts[3] != "question 3 answer 0" || firsts[19] != "question 19 answer 0" {
		fmt.Println("WRONG:", lines, firsts)
		return
	}
	fmt.Println("OK")
}
