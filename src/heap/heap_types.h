// Types as the heap graph needs them: where the pointers of a value are, and what each points to.
//
//   abi.Type ──┐
//   DWARF ─────┼─▶ HeapType {fields, elem} ──▶ words: [offset, what it leads to]
//   made up ───┘
//
// A heap object is always made from an abi.Type, but variables on stacks and in data need none: for
// those DWARF is asked, and wherever DWARF names an abi.Type the two are the same TypeId. Made up
// are the forms that have no type of their own in Go: arrays behind slices, the bytes of strings,
// headers and tables of maps, channels, closures. Source: internal/abi/type.go, runtime/map.go,
// internal/runtime/maps, runtime/chan.go, go1.21 to go1.27.
//
// Types are read on first use; ids stay valid. Safe for several threads.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "read/dwarf/debug_info.h"
#include "read/go/go_binary.h"

namespace geist::heap {

using TypeId = u32;
inline constexpr TypeId kUnknownType = 0;

// What an object is, seen from the heap.
enum class Form : u8 {
  kUnknown,
  kValue,         // one value of a Go type
  kArray,         // values of `elem` one behind the other, as slices have them
  kStringBytes,   // what a string points to
  kTiny,          // several small values without pointers in one 16-byte block
  kMapHeader,     // runtime.hmap or maps.Map of the map type `elem`
  kMapTable,      // maps.table of the map type `elem`
  kMapDirectory,  // maps.Map.dirPtr: an array of tables
  kMapExtra,      // runtime.mapextra
  kMapOverflow,   // slice header of overflow buckets
  kChan,          // runtime.hchan of elements `elem`
  kClosure,       // func value: code pointer, then what it captured
};

// How a pointer word sees what it points to.
enum class Flow : u8 {
  kOpaque,
  kPointer,
  kSlice,
  kString,
  kInterface,
  kMap,
  kMapDir,
  kChan,
  kFunc,
  kArray,      // to values one behind the other; no length beside it
  kBoxed,      // as the data of an interface, whose type is in the word before
  kReflected,  // reflect.Value.ptr: type in the word before, flags in the word behind
};

struct PointerWord {
  u64 offset = 0;
  Flow flow = Flow::kOpaque;
  TypeId target = kUnknownType;  // of the object; kMapDir: of the group, the table is beside it
};

struct HeapField {
  std::string name;
  u64 offset = 0;
  TypeId type = kUnknownType;
};

struct HeapType {
  Form form = Form::kUnknown;
  read::Kind kind = read::Kind::kInvalid;  // kValue
  std::string name = {};
  u64 size_bytes = 0;  // of one value; kArray: of an element
  TypeId elem = kUnknownType;
  TypeId key = kUnknownType;     // map
  TypeId bucket = kUnknownType;  // map
  u64 length = 0;                // array
  std::vector<HeapField> fields = {};
  // Of one value (kArray: of one element), ascending. Complete unless `is_prefix`: then what lies
  // behind them is not known.
  std::vector<PointerWord> words = {};
  bool is_prefix = false;
  bool is_bucket = false;  // its name is that of a map
  // A pointer to this type leads to one of these; the first byte of the object says to which.
  TypeId when_set = kUnknownType, when_clear = kUnknownType;
  ImageAddr runtime_type = {};
};

// The types that are complete, for readers that take no lock: a graph asks for one with every
// pointer. Those beyond the table are not in it; whoever misses one asks under the lock.
class CompleteTypes {
 public:
  // Null when the type is not complete yet, or not in the table.
  const HeapType* find(TypeId id) const {
    if (id >= kMaxTypes) return nullptr;
    const Chunk* chunk = chunks_[id / kChunk].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr : (*chunk)[id % kChunk].load(std::memory_order_acquire);
  }
  // One thread at a time; `type` stays where it is.
  void add(TypeId id, const HeapType& type) {
    if (id >= kMaxTypes) return;
    if (chunks_[id / kChunk].load(std::memory_order_relaxed) == nullptr) {
      owned_.push_back(std::make_unique<Chunk>());
      chunks_[id / kChunk].store(owned_.back().get(), std::memory_order_release);
    }
    Chunk& chunk = *chunks_[id / kChunk].load(std::memory_order_relaxed);
    chunk[id % kChunk].store(&type, std::memory_order_release);
  }

 private:
  static constexpr usize kChunk = 1024, kMaxTypes = kChunk * 1024;
  using Chunk = std::array<std::atomic<const HeapType*>, kChunk>;
  std::array<std::atomic<Chunk*>, kMaxTypes / kChunk> chunks_{};
  std::vector<std::unique_ptr<Chunk>> owned_;
};

class HeapTypes {
 public:
  // `debug` may be null.
  HeapTypes(const read::GoBinary& binary, read::DebugInfo* debug);

  // kUnknownType when there is no type at this address.
  TypeId of_runtime_type(ImageAddr addr);
  TypeId of_debug_type(const read::DebugType* type);
  // The type that DWARF knows by this full name ("sync.poolLocal"); kUnknownType when there is
  // none.
  TypeId of_name(const std::string& name);
  TypeId array_of(TypeId elem);
  TypeId pointer_to(TypeId elem);
  // The func value whose code begins at `entry`.
  TypeId closure_of(ImageAddr entry);
  TypeId string_bytes() const { return kStringBytesId; }
  TypeId tiny() const { return kTinyId; }
  // What the map header of this map type looks like; kUnknownType when it is none.
  TypeId map_header(TypeId map);
  TypeId map_directory(TypeId map);
  TypeId chan_header(TypeId chan);

  // Fields, elements and words filled in. The reference stays valid.
  const HeapType& at(TypeId id) {
    const HeapType* complete = complete_.find(id);
    return complete != nullptr ? *complete : completed(id);
  }
  // As Go writes it: "main.T", "[]byte", "map[string]int".
  std::string name(TypeId id);
  usize count() const { return types_.size(); }
  // ".buf[3].next" of the byte at `offset` in a value (kArray: in the whole array).
  std::string place(TypeId id, u64 offset);

  // The data word of an interface that holds this dynamic type: what it points to, and how.
  PointerWord boxed(TypeId dynamic);

 private:
  static constexpr TypeId kStringBytesId = 1, kTinyId = 2;
  struct Entry {
    TypeId id = kUnknownType;
    HeapType type;
    const read::DebugType* debug = nullptr;
    ImageAddr code;
    bool is_described = false, is_compiled = false;
  };
  enum class Made : u8 {
    kArray,
    kPointer,
    kMapHeader,
    kMapTable,
    kMapDir,
    kMapExtra,
    kOverflow,
    kChan
  };

  TypeId add(HeapType type);
  TypeId make(Made what, TypeId of, const HeapType& type);
  void describe(Entry& entry);
  void describe_runtime(Entry& entry);
  void describe_debug(Entry& entry);
  void describe_closure(Entry& entry);
  void compile(Entry& entry);
  void compile_map_header(Entry& entry);
  void append_words(TypeId id, u64 base, std::vector<PointerWord>& words, int depth);
  void append_made_words(Entry& entry);
  void append_struct_words(TypeId id, u64 base, std::vector<PointerWord>& words, int depth);
  void find_variants(Entry& entry);
  bool is_in_heap(TypeId id, int depth);
  TypeId of_first_name(const std::vector<std::string>& names);
  // With the whole path of its package; empty when DWARF does not have it.
  std::string full_name(TypeId id);
  bool is_pointer_shaped(TypeId id, int depth);
  HeapType& described(TypeId id);
  const HeapType& completed(TypeId id);
  TypeId map_table(TypeId map);
  std::string place_in(TypeId id, u64 offset, int depth);

  const read::GoBinary& binary_;
  read::DebugInfo* debug_;
  std::recursive_mutex mutex_;
  std::deque<Entry> types_;
  CompleteTypes complete_;
  std::unordered_map<u64, TypeId> by_runtime_type_;
  std::unordered_map<const read::DebugType*, TypeId> by_debug_type_;
  std::unordered_map<u64, TypeId> closures_;
  std::unordered_map<u64, TypeId> made_;  // Made << 32 | id
};

}  // namespace geist::heap
