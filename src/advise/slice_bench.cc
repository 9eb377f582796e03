// Go source is made of forms with words in capitals, into which numbers, and the types and values that
// element.cc made, are put.
#include "advise/slice_bench.h"

#include <fmt/format.h>

namespace geist::advise {
namespace {

constexpr std::string_view kHead = R"(package bench

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"unsafe"
)

var cells [64]int64

var (
	_ = strconv.Itoa
	_ = errors.New
	_ = slices.Clone[[]int]
	_ sync.Pool
)

func raw[T any](s []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(one)))
}

func filled[T any](n, c int, value T) []T {
	s := make([]T, c)
	for i := range s {
		s[i] = value
	}
	return s[:n]
}

// How many elements of the array the append changed, and how much room its result has.
func try[T any](b *testing.B, n, c, added int, old, fresh T, repair func(s, x []T) []T) (overwritten, room float64) {
	s, x := filled(n, c, old), filled(added, added, fresh)
	before, size := bytes.Clone(raw(s[:c])), int(unsafe.Sizeof(old))
	r := repair(s, x)
	if len(r) != n+added || !bytes.Equal(raw(r[:n]), before[:n*size]) || !bytes.Equal(raw(r[n:]), raw(x)) {
		b.Fatal("the result is not what append gives")
	}
	for after := raw(s[:c]); len(after) > 0; after, before = after[size:], before[size:] {
		if !bytes.Equal(after[:size], before[:size]) {
			overwritten++
		}
	}
	return overwritten, float64(cap(r) - len(r))
}
)";

// K: number of the shape; TYPE, VALUE, LEN, CAP, ADDED: of it; WORDS: what is added, as at the append.
constexpr std::string_view kShape = R"(
type eK = TYPE

func valueK(i int) eK { return VALUE }

var (
	sK    = filled(LEN, CAP, valueK(1))
	xK    = filled(ADDED, ADDED, valueK(2))
	sinkK []eK
	poolK = sync.Pool{New: func() any { p := make([]eK, 0, LEN+ADDED); return &p }}
)
)";

constexpr std::string_view kBenchmark = R"(
//go:noinline
func NAME_K(s, x []eK) []eK { BODY }

func BenchmarkK_NAME(b *testing.B) {
	overwritten, room := try(b, LEN, CAP, ADDED, valueK(1), valueK(2), NAME_K)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		sinkK = NAME_K(sK, xK)
	}
	b.ReportMetric(overwritten, "overwritten")
	b.ReportMetric(room, "room")
}
)";

// The array is given back at once: that is the pool at its best.
constexpr std::string_view kPoolBenchmark = R"(
//go:noinline
func fill_K(p *[]eK, s, x []eK) []eK { *p = append(append((*p)[:0], s...), WORDS); return *p }

func BenchmarkK_pool(b *testing.B) {
	overwritten, room := try(b, LEN, CAP, ADDED, valueK(1), valueK(2), func(s, x []eK) []eK {
		return fill_K(poolK.Get().(*[]eK), s, x)
	})
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		p := poolK.Get().(*[]eK)
		sinkK = fill_K(p, sK, xK)
		clear(*p)
		poolK.Put(p)
	}
	b.ReportMetric(overwritten, "overwritten")
	b.ReportMetric(room, "room")
}
)";

std::string_view body_of(Repair repair) {
  switch (repair) {
    case Repair::kAsItIs:
      return "return append(s, WORDS)";
    case Repair::kDeepCopy:
      return "return append(slices.Clone(s), WORDS)";
    case Repair::kClip:
      return "return append(s[:len(s):len(s)], WORDS)";
    case Repair::kConcat:
      return "return slices.Concat(s, x)";
    case Repair::kOwn:
      return "r := make([]eK, len(s), len(s)+len(x)); copy(r, s); return append(r, WORDS)";
    case Repair::kPool:
      break;
  }
  return "";
}

struct Word {
  std::string_view word;
  std::string text;
};

// Words are written in capitals; text that was put in is not looked at again.
std::string fill_in(std::string_view form, const std::vector<Word>& words) {
  std::string out;
  while (!form.empty()) {
    usize first = std::string_view::npos;
    const Word* which = nullptr;
    for (const Word& word : words) {
      usize at = form.find(word.word);
      if (at < first) {
        first = at;
        which = &word;
      }
    }
    if (which == nullptr) break;
    out += form.substr(0, first);
    out += which->text;
    form = form.substr(first + which->word.size());
  }
  return out += form;
}

}  // namespace

bool has_repair(Repair repair, int go_minor) {
  return repair != Repair::kConcat || go_minor >= 22;
}

std::string benchmark_name(usize shape, Repair repair) {
  return fmt::format("Benchmark{}_{}", shape, kRepairs[static_cast<usize>(repair)].name);
}

std::string emit_slice_bench(const std::vector<Shape>& shapes, int go_minor) {
  std::string out(kHead);
  for (usize k = 0; k < shapes.size(); ++k) {
    const Shape& shape = shapes[k];
    const std::string added = shape.added == 1 ? "x[0]" : "x...";
    // The longer words first: of two that begin at one place it is the first that counts.
    std::vector<Word> words = {{"ADDED", std::to_string(shape.added)},
                               {"WORDS", added},
                               {"VALUE", shape.element.value},
                               {"TYPE", shape.element.type},
                               {"LEN", std::to_string(shape.len)},
                               {"CAP", std::to_string(shape.cap)},
                               {"K", std::to_string(k)}};
    out += fill_in(kShape, words);
    for (const RepairName& one : kRepairs) {
      if (!has_repair(one.repair, go_minor)) continue;
      if (one.repair == Repair::kPool) {
        out += fill_in(kPoolBenchmark, words);
        continue;
      }
      std::vector<Word> more = words;
      more.insert(more.begin(),
                  {{"NAME", std::string(one.name)}, {"BODY", fill_in(body_of(one.repair), words)}});
      out += fill_in(kBenchmark, more);
    }
  }
  return out;
}

}  // namespace geist::advise
