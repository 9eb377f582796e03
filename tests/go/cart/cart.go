// Package cart has a ghost write that its own test shows: two carts made from one basket of samples.
package cart

type Cart struct {
	Items []string
}

// With gives a cart with one more item. The old cart looks untouched.
func (c Cart) With(item string) *Cart { return &Cart{append(c.Items, item)} }
