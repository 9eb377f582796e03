// The source of the map benchmarks: one loop over operations, with the text of a kind put into each case.
//
//   ops: a table of operations in the proportion of the mix, in one shuffled order
//   goroutine g: begins at its own place of the table; inserts keys that nobody else has, deletes those
//   it inserted, the oldest first. So what is left in the end does not depend on who was faster.
#include <fmt/format.h>

#include "advise/maps.h"

namespace geist::advise {
namespace {

constexpr std::string_view kHead = R"(package bench

import (
	"strconv"
	"sync"
	"testing"
)

var _ = strconv.Itoa

const shards = 32

const (
	opRead = iota
	opUpdate
	opInsert
	opDelete
	opRange
)

var ops = makeOps(READS, UPDATES, INSERTS, DELETES, RANGES)

// Proportional, shuffled by a fixed generator.
func makeOps(parts ...int) (table [4096]uint8) {
	total := 0
	for _, part := range parts {
		total += part
	}
	at, sum := 0, 0
	for op, part := range parts {
		for sum += part; at < sum*len(table)/total; at++ {
			table[at] = uint8(op)
		}
	}
	seed := uint32(1)
	for i := len(table) - 1; i > 0; i-- {
		seed = seed*1664525 + 1013904223
		j := int(seed>>8) % (i + 1)
		table[i], table[j] = table[j], table[i]
	}
	return table
}

var keys = func() []KEY {
	list := make([]KEY, KEYS)
	for i := range list {
		list[i] = makeKey(i)
	}
	return list
}()

func makeKey(i int) KEY { return MAKE }

func hash(k KEY) uint32 { HASH }

type counts struct{ done, hits, left int }
)";

constexpr std::string_view kWorker = R"(
type TYPE struct {
FIELDS
}

func BenchmarkNAME(b *testing.B) {
	m := new(TYPE)
INIT
	for i := 0; i < KEYS; i++ {
		k, v := keys[i], i
		STORE
	}
	var all counts
	var lock sync.Mutex
	var group sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for g := 0; g < GOROUTINES; g++ {
		group.Add(1)
		go func(g int) {
			defer group.Done()
			n := b.N / GOROUTINES
			if g < b.N%GOROUTINES {
				n++
			}
			at, next := g*517, uint32(g*7919+1)
			var fresh []KEY
			var mine counts
			for i := 0; i < n; i++ {
				next = next*1664525 + 1013904223
				k, v := keys[int(next>>8)%KEYS], i
				switch ops[(at+i)%len(ops)] {
				case opRead:
					LOAD
					if ok {
						mine.hits++
					}
				case opUpdate:
					STORE
				case opInsert:
					k = makeKey(KEYS + g + GOROUTINES*i)
					fresh = append(fresh, k)
					STORE
				case opDelete:
					if len(fresh) != 0 {
						k, fresh = fresh[0], fresh[1:]
						DROP
					}
				case opRange:
					sum := 0
					RANGE
					mine.hits += sum & 1 & ^1
				}
				mine.done++
				_ = v
			}
			lock.Lock()
			all.done += mine.done
			all.hits += mine.hits
			lock.Unlock()
		}(g)
	}
	group.Wait()
	b.StopTimer()
	COUNT
	if all.done != b.N {
		b.Fatal("lost operations")
	}
	b.ReportMetric(float64(all.hits), "hits")
	b.ReportMetric(float64(all.left), "entries")
}
)";

struct Kind {
  std::string_view type, fields, init, load, store, drop, range, count;
};

constexpr std::string_view kPlainInit = "\tm.m = make(map[KEY]int, KEYS)";
constexpr std::string_view kShardInit =
    "\tfor i := range m.s {\n\t\tm.s[i].m = make(map[KEY]int)\n\t}";
constexpr std::string_view kShardStore =
    "s := &m.s[hash(k)%shards]; s.l.Lock(); s.m[k] = v; s.l.Unlock()";
constexpr std::string_view kShardDrop =
    "s := &m.s[hash(k)%shards]; s.l.Lock(); delete(s.m, k); s.l.Unlock()";
constexpr std::string_view kShardCount = "for i := range m.s { all.left += len(m.s[i].m) }";

Kind kind_of(MapKind kind) {
  switch (kind) {
    case MapKind::kMutex:
      return {"mutexMap",
              "\tl sync.Mutex\n\tm map[KEY]int",
              kPlainInit,
              "m.l.Lock(); _, ok := m.m[k]; m.l.Unlock()",
              "m.l.Lock(); m.m[k] = v; m.l.Unlock()",
              "m.l.Lock(); delete(m.m, k); m.l.Unlock()",
              "m.l.Lock(); for _, x := range m.m { sum += x }; m.l.Unlock()",
              "all.left = len(m.m)"};
    case MapKind::kRwMutex:
      return {"rwMap",
              "\tl sync.RWMutex\n\tm map[KEY]int",
              kPlainInit,
              "m.l.RLock(); _, ok := m.m[k]; m.l.RUnlock()",
              "m.l.Lock(); m.m[k] = v; m.l.Unlock()",
              "m.l.Lock(); delete(m.m, k); m.l.Unlock()",
              "m.l.RLock(); for _, x := range m.m { sum += x }; m.l.RUnlock()",
              "all.left = len(m.m)"};
    case MapKind::kSyncMap:
      return {"syncMap",
              "\tm sync.Map",
              "",
              "_, ok := m.m.Load(k)",
              "m.m.Store(k, v)",
              "m.m.Delete(k)",
              "m.m.Range(func(_, x any) bool { sum += x.(int); return true })",
              "m.m.Range(func(_, _ any) bool { all.left++; return true })"};
    case MapKind::kShards:
      return {"shardMap",
              "\ts [shards]struct {\n\t\tl sync.Mutex\n\t\tm map[KEY]int\n\t\t_ [48]byte\n\t}",
              kShardInit,
              "s := &m.s[hash(k)%shards]; s.l.Lock(); _, ok := s.m[k]; s.l.Unlock()",
              kShardStore,
              kShardDrop,
              "for j := range m.s { s := &m.s[j]; s.l.Lock(); for _, x := range s.m { sum += x }; "
              "s.l.Unlock() }",
              kShardCount};
    case MapKind::kRwShards:
      return {"rwShardMap",
              "\ts [shards]struct {\n\t\tl sync.RWMutex\n\t\tm map[KEY]int\n\t\t_ [32]byte\n\t}",
              kShardInit,
              "s := &m.s[hash(k)%shards]; s.l.RLock(); _, ok := s.m[k]; s.l.RUnlock()",
              kShardStore,
              kShardDrop,
              "for j := range m.s { s := &m.s[j]; s.l.RLock(); for _, x := range s.m { sum += x }; "
              "s.l.RUnlock() }",
              kShardCount};
  }
  return {};
}

// All of it is our own text and numbers; words in capitals are replaced, whole words only.
std::string replace_words(std::string text,
                          const std::vector<std::pair<std::string_view, std::string>>& words) {
  auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  for (const auto& [word, with] : words) {
    for (usize at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
      const usize end = at + word.size();
      const bool is_part = (at > 0 && is_letter(text[at - 1]) && word != "NAME") ||
                           (end < text.size() && is_letter(text[end]));
      if (is_part) {
        at = end;
        continue;
      }
      text.replace(at, word.size(), with);
      at += with.size();
    }
  }
  return text;
}

}  // namespace

std::string emit_map_bench(const MapUse& use) {
  const Mix& mix = use.mix;
  const std::vector<std::pair<std::string_view, std::string>> numbers = {
      {"READS", std::to_string(mix.reads)},
      {"UPDATES", std::to_string(mix.updates)},
      {"INSERTS", std::to_string(mix.inserts)},
      {"DELETES", std::to_string(mix.deletes)},
      {"RANGES", std::to_string(mix.ranges)},
      {"KEYS", std::to_string(use.keys)},
      {"GOROUTINES", std::to_string(use.goroutines)},
      {"KEY", use.has_string_keys ? "string" : "int"},
      {"MAKE", use.has_string_keys ? "\"key-\" + strconv.Itoa(i)" : "i"},
      {"HASH", use.has_string_keys ? "h := uint32(2166136261); for i := 0; i < len(k); i++ { h = "
                                     "(h ^ uint32(k[i])) * 16777619 }; return h"
                                   : "return uint32(uint64(k) * 0x9e3779b97f4a7c15 >> 32)"}};
  std::string out = replace_words(std::string(kHead), numbers);
  for (const MapKindName& one : kMapKinds) {
    const Kind kind = kind_of(one.kind);
    std::string text = replace_words(std::string(kWorker), {{"TYPE", std::string(kind.type)},
                                                            {"FIELDS", std::string(kind.fields)},
                                                            {"INIT", std::string(kind.init)},
                                                            {"LOAD", std::string(kind.load)},
                                                            {"STORE", std::string(kind.store)},
                                                            {"DROP", std::string(kind.drop)},
                                                            {"RANGE", std::string(kind.range)},
                                                            {"COUNT", std::string(kind.count)},
                                                            {"NAME", "_" + std::string(one.name)}});
    out += replace_words(std::move(text), numbers);
  }
  return out;
}

}  // namespace geist::advise
