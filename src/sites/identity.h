// Which append of the source a site is, told so that every build of the same source tells the same:
// with DWARF or stripped, with -trimpath, inlined or not, by any supported release.
//
//   site ─▶ innermost source function ─▶ the declared function it is written in ─▶ ordinal of its
//           line among the lines of that function that have an append
//
// Only the function tables (pclntab), the code and the build info are asked. What differs between
// builds of one source, and what is taken instead:
//   - an append is inlined into other functions: the function it is written in;
//   - a closure's name ends in a number, and up to go1.26 begins with the function that its maker
//     was inlined into ("main.main.Serve.func3" is a closure of lib.Serve): the declared function
//     around it, found by file, name and first line;
//   - generic code is compiled for several type arguments: "[...]", once for all;
//   - functions init, of which a package may have several, and closures of package variables: init
//     with the base name of the file, as the number of an init goes by the order of the files;
//   - package main is called "main" in a program and by its import path in its test: see
//     with_import_path().
// The ordinal, not the line, so that edits elsewhere in the function do not matter; two appends on
// one line are one. All calls of growslice count, probed or not, but those on empty slices.
// Source: cmd/compile/internal/ir/func.go closureName and cmd/compile/internal/noder, go1.21 to
// go1.27.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "program/code_cache.h"
#include "sites/append_sites.h"

namespace geist::sites {

struct AppendIdentity {
  std::string function;  // declared: "example.com/shop.(*Cart).Add", "main.init(table.go)"
  u32 ordinal = 0;       // of its line in that function, from 0
  bool operator==(const AppendIdentity&) const = default;
};

// "main.(*set[...]).with" of "main.(*set[go.shape.int]).with.func1.2": without the parts that the
// compiler numbers, type arguments left out. It may still begin with a function that the closure's
// maker was inlined into.
std::string without_closures(std::string_view function);

// "main.f" as "example.com/shop.f", when the build info has the import path of package main.
// Nothing when it has not (a build of files: "command-line-arguments") or when the function is of
// another package.
std::optional<std::string> with_import_path(const read::GoBinary& binary,
                                            std::string_view function);

// Is it Go's own code: the standard library or golang.org/x/exp? A module of the build info never
// is, even if its path has no dot.
bool is_gos_own(const read::GoBinary& binary, std::string_view function);

// Belongs to one thread. Binary and table must outlive it; of a site call, function and bucket
// are read. Lines are read when the first identity is asked for, all at once: about a microsecond a
// site.
class AppendIdentities {
 public:
  AppendIdentities(const read::GoBinary& binary, const SiteTable& table)
      : binary_(&binary), table_(&table) {}

  AppendIdentity of(const AppendSite& site);
  // The declared function that the code of this frame is written in.
  std::string declaring(const read::SourceFrame& frame);

 private:
  struct Place {
    std::string_view function, file;
    i32 line = 0, start_line = 0;
  };
  void read_places();
  std::string find_declaring(const read::SourceFrame& frame) const;
  std::optional<std::string> find_maker(const read::SourceFrame& closure,
                                        const std::string& stripped) const;

  const read::GoBinary* binary_;
  const SiteTable* table_;
  std::vector<Place> places_;                  // of each site of the table
  std::vector<Place> plain_places_;            // of each of its plain ones
  std::map<ImageAddr, AppendIdentity> known_;  // by the site's call
  std::map<std::tuple<std::string_view, std::string_view, i32>, std::string> declaring_;
};

// A hash of the machine code around a site, the same wherever it was linked: two builds with the
// same one have the same code in the function, and the append at the same place of it. Addresses of
// data are left out, calls count by the callee's name. 32 hex digits; empty when the function does
// not decode.
std::string hash_site_code(program::CodeCache& codes, const AppendSite& site);

}  // namespace geist::sites
