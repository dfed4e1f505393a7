// Starting DPDK, and borrowing huge pages; see environment.h.
#include "tools/bench/environment.h"

#include <fstream>
#include <stdexcept>
#include <vector>

#include <rte_eal.h>
#include <rte_errno.h>

#include "crypto/keys.h"

namespace wirelay::bench {

namespace {

constexpr uint64_t kHugePage = uint64_t{2} << 20;
constexpr uint64_t kSlack = uint64_t{96} << 20;  // rings and DPDK's own
const std::string kFolder = "/sys/kernel/mm/hugepages/hugepages-2048kB/";

uint64_t read_number(const std::string& file) {
  uint64_t number = 0;
  std::ifstream(kFolder + file) >> number;
  return number;
}

void write_number(uint64_t number) { std::ofstream(kFolder + "nr_hugepages") << number; }

}  // namespace

Pages pages_of(const std::string& text) {
  if (text == "auto") return Pages::kAuto;
  if (text == "huge") return Pages::kHuge;
  if (text == "small") return Pages::kSmall;
  throw std::invalid_argument("pages are auto, huge or small, not \"" + text + "\"");
}

Environment::Environment(const char* program, Pages wanted, uint64_t bytes, unsigned core) {
  crypto::init_crypto();
  huge_ = wanted != Pages::kSmall && reserve((bytes + kSlack + kHugePage - 1) / kHugePage);
  if (!huge_ && wanted == Pages::kHuge) {
    throw std::runtime_error("this machine has no huge pages to give");
  }
  std::vector<std::string> args = {program,
                                   "--no-pci",
                                   "--no-telemetry",
                                   "--iova-mode=va",
                                   "--log-level=*:error",
                                   "--lcores=0@" + std::to_string(core)};
  if (huge_) {
    args.emplace_back("--in-memory");
  } else {
    args.emplace_back("--no-huge");
    args.emplace_back("--no-shconf");
    args.push_back("-m" + std::to_string((bytes + kSlack) >> 20));
  }
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
    const int error = rte_errno;
    give_back();
    throw std::runtime_error(std::string("DPDK does not start: ") + rte_strerror(error));
  }
}

Environment::~Environment() {
  rte_eal_cleanup();
  give_back();
}

bool Environment::reserve(uint64_t pages) {
  const uint64_t free = read_number("free_hugepages");
  if (free >= pages) return true;
  before_ = read_number("nr_hugepages");
  raised_ = true;
  write_number(before_ + pages - free);
  if (read_number("free_hugepages") >= pages) return true;
  give_back();
  return false;
}

void Environment::give_back() {
  if (raised_) write_number(before_);
  raised_ = false;
}

}  // namespace wirelay::bench
