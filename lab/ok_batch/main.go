// Rows are collected into a batch, the batch is flushed, and its array is used for the next one.
package main

import "fmt"

type sink struct {
	batches int
	bytes   int
	last    string
}

func (s *sink) flush(rows []string) {
	s.batches++
	for _, r := range rows {
		s.bytes += len(r)
		s.last = r
	}
}

type collector struct {
	sink  *sink
	batch []string
}

func (c *collector) add(row string) {
	c.batch = append(c.batch, row)
	if len(c.batch) == 10 {
		c.sink.flush(c.batch)
		c.batch = c.batch[:0]
	}
}

func main() {
	c := &collector{sink: &sink{}}
	for i := 0; i < 505; i++ {
		c.add(fmt.Sprintf("row-%04d", i))
	}
	if c.sink.batches != 50 || c.sink.last != "row-0499" || c.batch[0] != "row-0500" || len(c.batch) != 5 {
		fmt.Println("WRONG:", c.sink, c.batch)
		return
	}
	fmt.Println("OK")
}
