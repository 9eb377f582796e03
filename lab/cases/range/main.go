// Cancelled orders are removed from the list in a loop over it.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) > 1 {
		measure()
		return
	}
	orders := []string{"paid-1", "cancelled-2", "cancelled-3", "paid-4"}
	billed := 0
	for i, order := range orders {
		if order[:4] == "canc" && i < len(orders) {
			orders = append(orders[:i], orders[i+1:]...) // the repair: build a new list, or slices.DeleteFunc
			continue
		}
		billed++
	}
	fmt.Println("left:", orders, "billed:", billed)
	if billed != 2 || len(orders) != 2 {
		fmt.Printf("WRONG: %d orders were billed and %d are left, of 2 that are paid\n", billed, len(orders))
		return
	}
	fmt.Println("OK")
}
