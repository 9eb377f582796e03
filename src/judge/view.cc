#include "judge/view.h"

#include "program/test_binary.h"

namespace geist::judge {

Context make_context(const read::GoBinary& binary, read::DebugInfo* debug,
                     const sites::SiteTable& sites, const process::ProbedProcess& process,
                     const heap::RuntimeSymbols& symbols) {
  TargetAddr mheap = process.bias.to_target(symbols.mheap);
  return Context{binary,
                 debug,
                 sites,
                 process.plan,
                 process.memory,
                 symbols,
                 heap::SpanTable(process.memory, binary.layout(), mheap),
                 heap::ViewScanner(process.memory, binary, symbols, process.bias),
                 program::find_tested_package(binary)};
}

}  // namespace geist::judge
