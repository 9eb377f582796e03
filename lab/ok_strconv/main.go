// strconv.AppendInt and friends into one scratch buffer.
package main

import (
	"fmt"
	"strconv"
)

type csv struct {
	scratch []byte
	rows    []string
}

func (c *csv) row(id int, price float64, sold bool) {
	c.scratch = strconv.AppendInt(c.scratch[:0], int64(id), 10)
	c.scratch = append(c.scratch, ',')
	c.scratch = strconv.AppendFloat(c.scratch, price, 'f', 2, 64)
	c.scratch = append(c.scratch, ',')
	c.scratch = strconv.AppendBool(c.scratch, sold)
	c.scratch = append(c.scratch, ',')
	c.scratch = strconv.AppendQuote(c.scratch, "x")
	c.rows = append(c.rows, string(c.scratch))
}

func main() {
	c := &csv{}
	for i := 0; i < 200; i++ {
		c.row(i, float64(i)/4, i%2 == 0)
	}
	if c.rows[3] != `3,0.75,false,"x"` || c.rows[198] != `198,49.50,true,"x"` {
		fmt.Println("WRONG:", c.rows[3], c.rows[198])
		return
	}
	fmt.Println("OK")
}
