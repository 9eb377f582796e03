// Loggers made of one parent share its fields' array as soon as that has room: four fields of 16 bytes fill it.
package main

import "fmt"

type logger struct{ fields []any }

//go:noinline
func (l *logger) with(fields ...any) *logger {
	return &logger{append(l.fields, fields...)} // sleeps: writer
}

func (l *logger) String() string { return fmt.Sprint(l.fields...) }

func main() {
	root := &logger{}
	service := root.with("service", "billing", "region", "eu")
	first := service.with("order", 17)
	second := service.with("order", 18)
	fmt.Println(first, second)
	if first.fields[5] != 17 {
		fmt.Println("WRONG: the first logger logs order", first.fields[5])
		return
	}
	fmt.Println("OK")
}
