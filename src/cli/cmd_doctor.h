// geist doctor: tries what geist needs, one by one.
#pragma once

namespace geist::cli {

// To stdout; 1 when something does not work.
int cmd_doctor(bool color);

}  // namespace geist::cli
