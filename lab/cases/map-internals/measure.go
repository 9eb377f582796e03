package main

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"strings"
	"unsafe"
)

const (
	iterations = 1000000
	grownTo    = 40
)

func measure() {
	layout()
	loops()
}

// The struct types that a map has had, and the field with its number of entries.
var layouts = []struct{ name, count, old string }{
	{"runtime.hmap", "count", "oldbuckets"},
	{"internal/runtime/maps.Map", "used", ""},
}

type field struct {
	name   string
	offset int64
	size   int64
}

func find(name string) ([]field, error) {
	file, err := elf.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := file.DWARF()
	if err != nil {
		return nil, err
	}
	for reader := data.Reader(); ; {
		entry, err := reader.Next()
		if entry == nil || err != nil {
			return nil, fmt.Errorf("no type %s in the debug information", name)
		}
		if entry.Tag != dwarf.TagStructType || entry.Val(dwarf.AttrName) != name {
			continue
		}
		kind, err := data.Type(entry.Offset)
		if err != nil {
			return nil, err
		}
		var fields []field
		for _, f := range kind.(*dwarf.StructType).Field {
			fields = append(fields, field{f.Name, f.ByteOffset, f.Type.Size()})
		}
		return fields, nil
	}
}

func layout() {
	for _, known := range layouts {
		fields, err := find(known.name)
		if err != nil {
			continue
		}
		m := map[int]int{}
		for i := 0; i < 1000; i++ {
			m[i] = i
		}
		start := *(*unsafe.Pointer)(unsafe.Pointer(&m))
		var names []string
		var old *field
		for i, f := range fields {
			names = append(names, f.name)
			if f.name == known.count {
				fmt.Printf("fact count_read %d\nfact count_real %d\n", *(*uint64)(unsafe.Add(start, f.offset)), len(m))
			}
			if known.old != "" && f.name == known.old {
				old = &fields[i]
			}
		}
		fmt.Printf("fact layout %s\nfact fields %s\n", known.name, strings.Join(names, ","))
		watchGrowth(old)
		return
	}
	for _, name := range []string{"layout", "fields", "count_read", "old_seen"} {
		fmt.Printf("cannot %s no known type of a map in the debug information of this program\n", name)
	}
}

// watchGrowth inserts and looks after each insert whether there is an older array.
func watchGrowth(old *field) {
	const inserts = 20000
	m := map[int]int{}
	start := *(*unsafe.Pointer)(unsafe.Pointer(&m))
	seen := 0
	for i := 0; i < inserts; i++ {
		m[i] = i
		if old != nil && *(*unsafe.Pointer)(unsafe.Add(start, old.offset)) != nil {
			seen++
		}
	}
	why := "in the field oldbuckets"
	if old == nil {
		why = "for which this layout has no field"
	}
	fmt.Printf("fact old_seen %d\nfact old_looked %d\nfact old_why %s\n", seen, inserts, why)
	if len(m) != inserts {
		panic("entries are missing")
	}
}

// loops goes over a map of eight that it makes grow, again and again.
func loops() {
	twice, missed := 0, 0
	var given [grownTo]uint8
	for round := 0; round < iterations; round++ {
		given = [grownTo]uint8{}
		m := make(map[int]bool, 8)
		for i := 0; i < 8; i++ {
			m[i] = true
		}
		next := 8
		for key := range m {
			given[key]++
			for i := 0; i < 8 && next < grownTo; i++ {
				m[next] = true
				next++
			}
		}
		for key, times := range given {
			if times > 1 {
				twice++
			}
			if key < 8 && times == 0 {
				missed++
			}
		}
	}
	fmt.Printf("fact iterations %d\nfact grown_to %d\nfact keys_twice %d\nfact keys_missed %d\n", iterations, grownTo, twice, missed)
	for _, size := range []int{1, 8, 100, 1000} {
		inserted, seen := 0, 0
		for round := 0; round < 20000/size+20; round++ {
			m := map[int]bool{}
			for i := 0; i < size; i++ {
				m[i] = true
			}
			for key := range m {
				if key < size {
					m[size+key] = true
					inserted++
				} else {
					seen++
				}
			}
		}
		fmt.Printf("fact inserted_percent[%d] %.1f\n", size, 100*float64(seen)/float64(inserted))
	}
}
