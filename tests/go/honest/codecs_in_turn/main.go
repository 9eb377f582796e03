// One value through XML, gob and JSON in turn, by several goroutines at once: the caches of type information are made while
// others read them.
package main

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"sort"
	"sync"
)

type Leaf struct {
	Zed  string   `xml:"zed,attr" json:"zed"`
	Abel int      `xml:"abel" json:"abel,omitempty"`
	Mid  []string `xml:"mid>m" json:"mid"`
}
type Tree struct {
	Name string
	Kids []Leaf
	Best *Leaf
}

func turn(t Tree) (Tree, error) {
	var a, b, c Tree
	x, err := xml.Marshal(t)
	if err == nil {
		err = xml.Unmarshal(x, &a)
	}
	var buf bytes.Buffer
	if err == nil {
		err = gob.NewEncoder(&buf).Encode(a)
	}
	if err == nil {
		err = gob.NewDecoder(&buf).Decode(&b)
	}
	j, err2 := json.Marshal(b)
	if err == nil && err2 == nil {
		err = json.Unmarshal(j, &c)
	}
	return c, err
}

func main() {
	var mu sync.Mutex
	var lines []string
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		i := i
		wg.Add(1)
		go func() {
			defer wg.Done()
			t := Tree{Name: fmt.Sprint("t", i)}
			for k := 0; k < i; k++ {
				t.Kids = append(t.Kids, Leaf{fmt.Sprint("z", k), k, []string{"m", "n"}[:k%3%2+1]})
			}
			if i > 2 {
				t.Best = &t.Kids[1]
			}
			back, err := turn(t)
			j, _ := json.Marshal(back)
			mu.Lock()
			lines = append(lines, fmt.Sprint(string(j), err))
			mu.Unlock()
		}()
	}
	wg.Wait()
	sort.Strings(lines)
	for _, line := range lines {
		fmt.Println(line)
	}
}
