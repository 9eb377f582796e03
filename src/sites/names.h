// Append sites by the names that reports print: `function:file:line`, as in
// "echo.(*Group).add:group.go:145".
//
// The function may be written in full or without the path of its package, the file as its base name
// or any longer end of its path. An append that was inlined in several places, or compiled for
// several type arguments, is one append with several sites, and the name means them all; so are two
// appends on one line. `0x…`, the address of the call, means one site.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sites/append_sites.h"

namespace geist::sites {

struct SiteName {
  std::string function;  // symbol name of the innermost inlined function, type arguments as "[...]"
  std::string file;      // as compiled
  i32 line = 0;
  bool operator==(const SiteName&) const = default;
  auto operator<=>(const SiteName&) const = default;
  std::string text() const;  // with short function and base name
};

// An append in generic code is one append, however many instances it was compiled into:
// "main.(*set[go.shape.int]).with" becomes "main.(*set[...]).with", as pclntab writes it too.
std::string without_type_arguments(std::string_view function);

SiteName name_of(const read::GoBinary& binary, const AppendSite& site);
// Of any call in the program.
SiteName name_of_call(const read::GoBinary& binary, ImageAddr call);

// Indices of all that have that name; at least one. Fails when there is none (naming those near it),
// and when the name means some of different functions or files (naming those). `what`: "append".
Result<std::vector<usize>> find_named(const std::vector<SiteName>& names, const std::string& name,
                                      std::string_view what);

// Likewise, indices into `table.sites` of all sites of that name, whatever their bucket.
Result<std::vector<usize>> find_sites_named(const read::GoBinary& binary, const SiteTable& table,
                                            const std::string& name);

}  // namespace geist::sites
