// The list of AEAD engines, and the choice among them.
#include "crypto/aead.h"

#include <stdexcept>

#include "crypto/aead_engines.h"

namespace wirelay::crypto {

namespace {

struct EngineRow {
  std::string_view name;
  EngineSupport (*support)();
  std::unique_ptr<AeadEngine> (*make)();
};

/// THE list, fastest first: "auto" takes the first that is usable.
constexpr EngineRow kEngines[] = {
    {"avx512-ifma", avx512_support, make_avx512_engine},
    {"avx2", avx2_support, make_avx2_engine},
    {"ipsec-mb", ipsec_mb_support, make_ipsec_mb_engine},
    {"libsodium", sodium_support, make_sodium_engine},
};

EngineInfo examine(const EngineRow& row) {
  EngineSupport support = row.support();
  EngineInfo info{std::string(row.name), support.usable, std::move(support.reason)};
  if (!info.usable) return info;
  const std::string fault = self_test(*row.make());
  info.usable = fault.empty();
  info.reason += info.usable ? ", self-test passed" : ", self-test FAILED: " + fault;
  return info;
}

const EngineRow* find_row(std::string_view name) noexcept {
  for (const EngineRow& row : kEngines) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string all_names() {
  std::string names = "auto";
  for (const EngineRow& row : kEngines) names.append(", ").append(row.name);
  return names;
}

std::runtime_error unknown_engine(std::string_view name) {
  return std::runtime_error("AEAD engine \"" + std::string(name) + "\" does not exist, there are " +
                            all_names());
}

EngineInfo choose_fastest() {
  for (const EngineRow& row : kEngines) {
    EngineInfo info = examine(row);
    if (!info.usable) continue;
    info.reason += "; the fastest that is usable here";
    return info;
  }
  throw std::runtime_error("no AEAD engine passes its self-test on this machine");
}

}  // namespace

std::vector<EngineInfo> list_engines() {
  std::vector<EngineInfo> engines;
  for (const EngineRow& row : kEngines) engines.push_back(examine(row));
  return engines;
}

EngineInfo choose_engine(std::string_view wanted) {
  if (wanted == "auto") return choose_fastest();
  const EngineRow* row = find_row(wanted);
  if (row == nullptr) throw unknown_engine(wanted);
  EngineInfo info = examine(*row);
  if (!info.usable) {
    throw std::runtime_error("AEAD engine \"" + info.name + "\" cannot be used here: " +
                             info.reason + "; \"auto\" picks one that can");
  }
  info.reason += "; asked for by name";
  return info;
}

std::unique_ptr<AeadEngine> make_engine(std::string_view name) {
  const EngineRow* row = find_row(name);
  if (row == nullptr) throw unknown_engine(name);
  return row->make();
}

}  // namespace wirelay::crypto
