// encoding/csv with ReuseRecord: every record is used before the next one is read.
package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

func main() {
	var input strings.Builder
	for i := 0; i < 300; i++ {
		fmt.Fprintf(&input, "%d,\"name %d\",%d\n", i, i, i*i)
	}
	r := csv.NewReader(strings.NewReader(input.String()))
	r.ReuseRecord = true
	sum, longest := 0, ""
	for {
		record, err := r.Read()
		if err == io.EOF {
			break
		}
		n, _ := strconv.Atoi(record[2])
		sum += n
		if len(record[1]) >= len(longest) {
			longest = record[1]
		}
	}
	if sum != 8955050 || longest != "name 299" {
		fmt.Println("WRONG:", sum, longest)
		return
	}
	fmt.Println("OK")
}
