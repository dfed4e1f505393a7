// Asking the machine what it is.
#include "tools/relaygen/machine.h"

#include <fstream>
#include <string>

#include <sys/utsname.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_version.h>

namespace wirelay::relaygen {

namespace {

/// The value behind "key : value" of a file in /proc.
std::string proc_value(const char* file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    const size_t colon = line.find(':');
    const size_t value = line.find_first_not_of(" \t", colon + 1);
    return value == line.npos ? "" : line.substr(value);
  }
  return "";
}

}  // namespace

Json::Value describe_machine(Rig& rig) {
  Json::Value machine;
  utsname system{};
  uname(&system);
  machine["processor"] = proc_value("/proc/cpuinfo", "model name");
  machine["cores"] = Json::Int64(sysconf(_SC_NPROCESSORS_ONLN));
  machine["tsc_hz"] = Json::UInt64(rte_get_tsc_hz());
  machine["memory"] = proc_value("/proc/meminfo", "MemTotal");
  machine["huge_pages"] = rig.huge_pages();
  machine["kernel"] = std::string(system.sysname) + ' ' + system.release;
  machine["dpdk"] = rte_version();
  machine["relaygen"] = WIRELAY_VERSION;
  machine["compiler"] = __VERSION__;
  machine["aead_engine"] = std::string(rig.engine());
  machine["tunnel_driver"] = rig.tunnel().driver();
  if (rig.plain() != nullptr) machine["plain_driver"] = rig.plain()->driver();
  return machine;
}

}  // namespace wirelay::relaygen
