package cart

import (
	"strings"
	"testing"
)

func samples() Cart {
	var c Cart
	for _, item := range strings.Fields("tea jam bread") {
		c = *c.With(item)
	}
	return c
}

func TestOne(t *testing.T) {
	if got := samples().With("salt").Items; len(got) != 4 || got[3] != "salt" {
		t.Errorf("got %v", got)
	}
}

func TestTwo(t *testing.T) {
	base := samples()
	ann, bob := base.With("milk"), base.With("beer")
	t.Logf("ann has %v, bob has %v", ann.Items, bob.Items)
	if ann.Items[3] != "milk" {
		t.Errorf("ann has %s", ann.Items[3])
	}
}

func TestThree(t *testing.T) {
	t.Run("sub", func(t *testing.T) {
		t.Parallel()
		var lines []string
		for i := 0; i < 100; i++ {
			lines = append(lines[:i%5], "x")
		}
		if len(lines) != 5 {
			t.Error(len(lines))
		}
	})
}

func BenchmarkWith(b *testing.B) {
	c := samples()
	for i := 0; i < b.N; i++ {
		c.With("x")
	}
}
