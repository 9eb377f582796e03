// Shards of one table take what comes in late at their ends, by a method of each.
package main

import "fmt"

type shard struct {
	name string
	rows []string
}

func (s *shard) add(row string) {
	s.rows = append(s.rows, row) // want: ghost-write victim=rows before="\"c0\"" after="\"late a\""
}

func split(rows []string, names ...string) (shards []*shard) {
	size := len(rows) / len(names)
	for i, name := range names {
		shards = append(shards, &shard{name, rows[i*size : (i+1)*size]})
	}
	return shards
}

func main() {
	rows := make([]string, 0, 8)
	for _, name := range []string{"a", "b", "c"} {
		rows = append(rows, name+"0", name+"1")
	}
	shards := split(rows, "a", "c")
	shards[1].rows = rows[4:6]
	shards[0].rows = rows[2:4]
	shards[0].add("late a")
	shards[1].add("late c")
	for _, s := range shards {
		fmt.Println(s.name, s.rows)
	}
	if shards[1].rows[0] != "c0" {
		fmt.Println("WRONG: c lost its first row")
		return
	}
	fmt.Println("OK")
}
