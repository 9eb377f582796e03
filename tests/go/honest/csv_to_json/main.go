// Rows of a CSV file with a record that is used again, made into JSON objects, and back into CSV.
package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
)

func main() {
	var in strings.Builder
	in.WriteString("zip,name,age,city\n")
	for i := 0; i < 30; i++ {
		fmt.Fprintf(&in, "%05d,\"n, %d\",%d,c%d\n", i*331, i, 20+i%9, i%4)
	}
	r := csv.NewReader(strings.NewReader(in.String()))
	r.ReuseRecord = true
	var head []string
	var rows []map[string]string
	for {
		record, err := r.Read()
		if err == io.EOF {
			break
		} else if err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		if head == nil {
			head = append(head, record...)
			continue
		}
		row := map[string]string{}
		for i, v := range record {
			row[head[i]] = v
		}
		rows = append(rows, row)
	}
	kept := rows[:0]
	for _, row := range rows {
		if row["city"] != "c3" {
			kept = append(kept, row)
		}
	}
	rows = kept
	sort.SliceStable(rows, func(i, j int) bool { return rows[i]["age"] < rows[j]["age"] })
	b, err := json.Marshal(rows)
	fmt.Println(string(b), err)
	var back []struct{ Zip, Name, City, Age string }
	if err := json.Unmarshal(b, &back); err != nil {
		fmt.Println("WRONG:", err)
		return
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	line := make([]string, 0, 4)
	for _, row := range back {
		line = append(line[:0], row.Name, row.Age, row.Zip, row.City)
		_ = w.Write(line)
	}
	w.Flush()
	fmt.Print(out.String())
}
