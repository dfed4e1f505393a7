// The machine's own data base of groups, whatever it is (getgrnam_r(3)).
#include "ctrl/host/group.h"

#include <cerrno>
#include <charconv>
#include <vector>

#include <grp.h>

namespace wirelay::ctrl {

std::optional<gid_t> find_group(const std::string& group) {
  gid_t number = 0;
  const char* end = group.data() + group.size();
  const auto [digits, error] = std::from_chars(group.data(), end, number);
  if (error == std::errc() && digits == end) {
    // chown(2) takes the last number for "as it is".
    return number == static_cast<gid_t>(-1) ? std::nullopt : std::optional(number);
  }
  std::vector<char> text(4096);
  for (;;) {
    struct group entry {};
    struct group* found = nullptr;
    const int result = getgrnam_r(group.c_str(), &entry, text.data(), text.size(), &found);
    if (result == ERANGE) {  // a group of many members
      text.resize(2 * text.size());
    } else {
      return found == nullptr ? std::nullopt : std::optional(entry.gr_gid);
    }
  }
}

}  // namespace wirelay::ctrl
