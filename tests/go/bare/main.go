// A program with no package but main and the runtime: no pool, no fmt.
package main

func main() { println("OK") }
