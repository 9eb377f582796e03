// Where memory is refilled: CALLs of memmove, typedslicecopy and reflect.typedslicecopy outside the
// runtime that belong to no append. The CALL goes by way of a trampoline, nothing else is changed.
//
//   runtime.memmove(to AX, from BX, n CX)
//   runtime.typedslicecopy(typ AX, to BX, toLen CX, from DI, fromLen SI)
//   reflect.typedslicecopy(typ AX, to BX, toLen CX, toCap DI, from SI, fromLen R8, fromCap R9)
//
// An event of abi::kRefill has the facts of an append to an empty slice at `to`: old_ptr and dest
// are `to`, new_len, cap and num the elements to be written; of a typed copy they may be too many,
// toLen, until refill_size() is asked. Elements of memmove are bytes. Copies to where only zeros
// stand are not told. Source: runtime/memmove_amd64.s, runtime/mbarrier.go, go1.21 to go1.27.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "abi/event.h"
#include "probe/patch_plan.h"

namespace geist::probe {

// Left out by name: the runtime and what it is made of, and memory that nobody can have a view of
// before it is written (strings that are put together).
std::vector<PointProbe> find_refill_probes(const read::GoBinary& binary,
                                           const sites::SiteTable& sites);

// What runs at a CALL of this function; nothing when it copies nothing.
std::optional<Primitive> tell_refill(std::string_view callee);

// How many elements the call with these registers writes at most; `callee` is the called function.
u64 refill_size(std::string_view callee, const abi::Event& event);

}  // namespace geist::probe
