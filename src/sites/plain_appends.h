// Appends that were compiled without a grow path.
//
// Where the compiler knows that there is room (a slice made in the same function with a constant
// capacity), or that there is none and how much is needed, it leaves the call of growslice out, and
// with it all that tells an append from another store: nothing is there to probe. Only the source
// shows that there was one. The compiler's knowledge comes from its prove pass, which -gcflags=-N
// leaves out.
// Source: cmd/compile/internal/ssagen (append), cmd/compile/internal/ssa/prove.go, go1.21 to
// go1.27.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sites/append_sites.h"
#include "source/source.h"

namespace geist::sites {

struct PlainAppend {
  std::string file;  // as compiled
  i32 line = 0;
  auto operator<=>(const PlainAppend&) const = default;
};

// Those of the main module whose source is here and as old as the binary; ascending. None where the
// module has more functions than `max_functions`: its source is read and taken apart.
std::vector<PlainAppend> find_plain_appends(const read::GoBinary& binary, const SiteTable& table,
                                            source::SourceCache& sources, usize max_functions);

bool is_of_main_module(const read::GoBinary& binary, std::string_view function);

// Leaves those of `table.plain` whose line has an append call in the source. What the source says is
// something else, an assignment to an element, is no site; what cannot be asked, for the source is
// not here, is none either and counts as `table.untold`. Removals are left where the source tells
// who has the slice as it was.
void keep_told_appends(SiteTable& table, const read::GoBinary& binary,
                       source::SourceCache& sources);

}  // namespace geist::sites
