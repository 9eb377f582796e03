// A CSV reader that uses one record for all lines; what is kept are its strings.
package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

func main() {
	var b strings.Builder
	for i := 0; i < 200; i++ {
		fmt.Fprintf(&b, "%d,\"n,%d\",v%d\n", i, i%9, i*i)
	}
	r := csv.NewReader(strings.NewReader(b.String()))
	r.ReuseRecord = true
	m := map[string]int{}
	var keep []string
	for {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			panic(err)
		}
		m[rec[1]]++
		if rec[1] == "n,3" {
			keep = append(keep, rec[2])
		}
	}
	fmt.Println(len(m), m["n,3"], keep)
}
