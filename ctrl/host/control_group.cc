// /proc/self/cgroup tells the group within a hierarchy, /proc/self/mountinfo where that hierarchy
// is to be seen. See cgroups(7) and proc(5).
#include "ctrl/host/control_group.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

namespace wirelay::ctrl {

namespace {

namespace fs = std::filesystem;

/// One hierarchy that can bound memory, and this process's group within it.
struct Hierarchy {
  const char* file_system;  // as mountinfo has it
  const char* limit_file;
  std::optional<fs::path> group;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

bool names_memory(const std::string& list) {
  const auto names = split(list, ',');
  return std::ranges::find(names, "memory") != names.end();
}

/// Lines are "NUMBER:CONTROLLERS:/GROUP"; version 2 has number 0 and no controllers.
void find_groups(const std::string& root, Hierarchy& v1, Hierarchy& v2) {
  std::ifstream in(root + "/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (line.starts_with("0::")) v2.group = line.substr(second + 1);
    if (names_memory(controllers)) v1.group = line.substr(second + 1);
  }
}

/// The limits on the way from the group up to the mount point. `mounted`: the group that the mount
/// point shows, which is not the topmost one in a container.
uint64_t least_limit(const std::string& mount_point, const fs::path& mounted,
                     const Hierarchy& hierarchy) {
  fs::path below = hierarchy.group->lexically_relative(mounted);
  if (below.empty() || *below.begin() == "..") below = ".";  // the group is outside of what is seen
  uint64_t least = UINT64_MAX;
  for (below = (fs::path("/") / below).lexically_normal();; below = below.parent_path()) {
    std::ifstream in(mount_point + below.string() + "/" + hierarchy.limit_file);
    std::string text;
    uint64_t bytes = 0;  // or "max"
    if (in >> text &&
        std::from_chars(text.data(), text.data() + text.size(), bytes).ec == std::errc()) {
      least = std::min(least, bytes);
    }
    if (below == "/") return least;
  }
}

}  // namespace

uint64_t control_group_limit(const std::string& root) {
  Hierarchy v1{"cgroup", "memory.limit_in_bytes", {}}, v2{"cgroup2", "memory.max", {}};
  find_groups(root, v1, v2);
  uint64_t least = UINT64_MAX;
  std::ifstream in(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    // "36 35 0:30 MOUNTED MOUNT_POINT options [more] - FILE_SYSTEM source CONTROLLERS"
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const auto front = split(line.substr(0, dash), ' '), back = split(line.substr(dash + 3), ' ');
    if (front.size() < 5 || back.size() < 3) continue;
    for (const Hierarchy* hierarchy : {&v1, &v2}) {
      if (!hierarchy->group || back[0] != hierarchy->file_system) continue;
      if (hierarchy == &v1 && !names_memory(back[2])) continue;
      least = std::min(least, least_limit(root + front[4], front[3], *hierarchy));
    }
  }
  return least;
}

}  // namespace wirelay::ctrl
