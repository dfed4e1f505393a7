// The list of X25519 engines, the choice among them, and the burst that uses it.
#include "crypto/x25519.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include "crypto/keys.h"
#include "crypto/x25519_engines.h"

namespace wirelay::crypto {

namespace {

struct X25519Row {
  std::string_view name;
  EngineSupport (*support)();
  std::unique_ptr<X25519Engine> (*make)();
};

/// THE list, in the order of their speed where all are usable; the last one always is.
constexpr X25519Row kX25519Engines[] = {
    {"avx512-ifma", ifma_x25519_support, make_ifma_x25519_engine},
    {"avx2", avx2_x25519_support, make_avx2_x25519_engine},
    {"libsodium", sodium_x25519_support, make_sodium_x25519_engine},
};

/// One of each for the whole process: they keep nothing.
const X25519Engine& engine_of(const X25519Row& row) {
  static const auto engines = [] {
    std::array<std::unique_ptr<X25519Engine>, std::size(kX25519Engines)> all;
    for (size_t i = 0; i < all.size(); ++i) all[i] = kX25519Engines[i].make();
    return all;
  }();
  return *engines[static_cast<size_t>(&row - kX25519Engines)];
}

EngineInfo examine(const X25519Row& row) {
  EngineSupport support = row.support();
  EngineInfo info{std::string(row.name), support.usable, std::move(support.reason)};
  if (!info.usable) return info;
  const std::string fault = self_test(engine_of(row));
  info.usable = fault.empty();
  info.reason += info.usable ? ", self-test passed" : ", self-test FAILED: " + fault;
  return info;
}

struct Choice {
  EngineInfo info;
  const X25519Engine* engine = nullptr;
};

Choice choose_fastest_x25519() {
  Choice choice;
  std::string figures;
  double least = std::numeric_limits<double>::max();
  for (const X25519Row& row : kX25519Engines) {
    EngineInfo info = examine(row);
    if (!info.usable) continue;
    const X25519Engine& engine = engine_of(row);
    const double cost = measure_cost(engine);
    figures += (figures.empty() ? "" : ", ") + info.name + " " + std::to_string(std::lround(cost));
    if (cost >= least) continue;
    least = cost;
    choice = {std::move(info), &engine};
  }
  if (choice.engine == nullptr) {
    throw std::runtime_error("no X25519 engine passes its self-test on this machine");
  }
  choice.info.reason += "; the fastest here, ns a multiplication: " + figures;
  return choice;
}

/// Wanted by name, or the fastest.
Choice choose_x25519() {
  const char* wanted = std::getenv(kX25519EngineVariable);
  if (wanted == nullptr) return choose_fastest_x25519();
  for (const X25519Row& row : kX25519Engines) {
    if (row.name != wanted) continue;
    EngineInfo info = examine(row);
    if (!info.usable) break;
    info.reason += "; asked for by name";
    return {std::move(info), &engine_of(row)};
  }
  throw std::runtime_error(std::string(kX25519EngineVariable) + "=" + wanted +
                           ": there is no such X25519 engine, or it cannot be used here");
}

Choice& the_choice() {
  static Choice choice = choose_x25519();
  return choice;
}

}  // namespace

std::vector<EngineInfo> list_x25519_engines() {
  std::vector<EngineInfo> infos;
  for (const X25519Row& row : kX25519Engines) infos.push_back(examine(row));
  return infos;
}

const X25519Engine& find_x25519_engine(std::string_view name) {
  for (const X25519Row& row : kX25519Engines) {
    if (row.name == name) return engine_of(row);
  }
  throw std::runtime_error("X25519 engine \"" + std::string(name) + "\" does not exist");
}

const EngineInfo& chosen_x25519_engine() { return the_choice().info; }

void use_x25519_engine(std::string_view name) { the_choice().engine = &find_x25519_engine(name); }

void x25519_burst(std::span<X25519Job> jobs) noexcept { the_choice().engine->multiply_burst(jobs); }

double measure_cost(const X25519Engine& engine) {
  using Clock = std::chrono::steady_clock;
  constexpr size_t kJobs = 16;
  constexpr int kTimings = 3;
  std::array<Bytes32, kJobs> scalars{}, points{}, outs{};
  std::array<X25519Job, kJobs> jobs{};
  for (size_t i = 0; i < kJobs; ++i) {
    scalars[i].fill(static_cast<uint8_t>(i + 1));
    points[i].fill(static_cast<uint8_t>(i + 9));
    jobs[i] = {scalars[i].data(), points[i].data(), outs[i].data(), false};
  }
  double least = std::numeric_limits<double>::max();
  for (int run = 0; run < kTimings; ++run) {
    const auto begin = Clock::now();
    engine.multiply_burst(jobs);
    const std::chrono::duration<double, std::nano> passed = Clock::now() - begin;
    least = std::min(least, passed.count() / kJobs);
  }
  return least;
}

}  // namespace wirelay::crypto
