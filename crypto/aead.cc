// The list of AEAD engines, and the choice among them.
#include "crypto/aead.h"

#include <algorithm>
#include <stdexcept>

#include "crypto/aead_calibration.h"
#include "crypto/aead_engines.h"

namespace wirelay::crypto {

namespace {

struct EngineRow {
  std::string_view name;
  EngineSupport (*support)();
  std::unique_ptr<AeadEngine> (*make)();
};

/// THE list, in the order of their speed where all are usable; "auto" measures.
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

struct Candidate {
  EngineInfo info;
  EngineCost cost;
};

std::vector<Candidate> measure_usable() {
  std::vector<Candidate> candidates;
  for (const EngineRow& row : kEngines) {
    EngineInfo info = examine(row);
    if (info.usable) candidates.push_back({std::move(info), measure_cost(*row.make())});
  }
  return candidates;
}

/// The engine that is cheapest on average over small, middle and large packets, with the figures of
/// all in its reason.
EngineInfo choose_fastest() {
  const std::vector<Candidate> candidates = measure_usable();
  if (candidates.empty()) {
    throw std::runtime_error("no AEAD engine passes its self-test on this machine");
  }
  EngineCost best = candidates.front().cost;
  for (const Candidate& other : candidates) {
    for (size_t i = 0; i < best.size(); ++i) best[i] = std::min(best[i], other.cost[i]);
  }
  const Candidate& fastest = *std::ranges::min_element(
      candidates, {},
      [&best](const Candidate& candidate) { return relative_cost(candidate.cost, best); });
  EngineInfo info = fastest.info;
  info.reason += "; the fastest here: a packet of " + to_text(fastest.cost);
  for (const Candidate& other : candidates) {
    if (&other != &fastest) info.reason += ", " + other.info.name + " " + to_text(other.cost);
  }
  return info;
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
