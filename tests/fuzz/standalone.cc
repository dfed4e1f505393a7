// Runs a fuzz target for a bounded number of inputs without libFuzzer, so that the unit tests do it
// with any compiler, with and without sanitizers:
//
//   fuzz_rpc_bounded INPUTS [FILE-OR-FOLDER ...] [-- FILE-OR-FOLDER ...]
//
// The files are seeds, written by hand, and behind the -- what long runs found: each is run as it
// is, then inputs are made from all of them and from noise. The same inputs every time; before a
// finding ends the program, the seed's file or the input's number is printed. Who wants coverage to
// lead the way uses libFuzzer (README.md).
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "tests/fuzz/reached.h"
#include "tests/fuzz/target.h"

// Of the address sanitizer, where there is one: called before it ends the program.
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

/// The undefined-behaviour sanitizer would only print, and has callbacks of its own.
extern "C" const char* __ubsan_default_options() { return "halt_on_error=1:abort_on_error=1"; }

using namespace wirelay;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kSeed = 20240229;
constexpr size_t kLongestNoise = 2000;

std::string finding;  // the line that tells of the input at hand, ready to be written

/// Nothing here allocates: the heap may be what is broken.
void tell_finding() {
  static bool told = false;  // a sanitizer may abort once it has called back
  if (!told) static_cast<void>(!write(STDERR_FILENO, finding.data(), finding.size()));
  told = true;
}

void on_abort(int) {
  tell_finding();
  std::_Exit(1);
}

void run(const std::string& name, const Bytes& input) {
  finding = name + " is a finding\n";
  const Bytes exact(input.begin(), input.end());  // one byte behind it is a finding
  test::count_places(true);
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  test::count_places(false);
}

struct Seed {
  std::string file;
  Bytes bytes;
};

void run(const Seed& seed) { run("seed " + seed.file, seed.bytes); }

[[noreturn]] void refuse(const std::string& what) {
  std::cerr << what << '\n';
  std::exit(2);
}

Seed read_seed(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  Seed seed{path, {std::istreambuf_iterator<char>(in), {}}};
  if (!in) refuse("cannot read the seed " + seed.file);
  return seed;
}

std::vector<Seed> read_seeds(std::span<char*> names) {
  std::vector<std::filesystem::path> files;
  for (const char* name : names) {
    if (!std::filesystem::is_directory(name)) {
      files.emplace_back(name);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(name)) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  std::vector<Seed> seeds;
  seeds.reserve(files.size());
  for (const auto& file : files) seeds.push_back(read_seed(file));
  return seeds;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Seed>& seeds) : seeds_(seeds) {}

  Bytes next() {
    Bytes input = seeds_.empty() || below(8) == 0 ? noise() : seeds_[below(seeds_.size())].bytes;
    for (size_t n = below(8); n != 0; --n) change(input);
    return input;
  }

 private:
  size_t below(size_t n) { return random_() % n; }
  uint8_t byte() {
    // Values at which a check may be one off, or that mean something in text.
    constexpr uint8_t kTelling[] = {0,   1,   0x7f, 0x80, 0xff, '"', '{',
                                    '}', '[', ']',  ',',  '\\', '\n'};
    return below(2) == 0 ? kTelling[below(std::size(kTelling))] : static_cast<uint8_t>(random_());
  }
  Bytes noise() {
    Bytes out(below(kLongestNoise + 1));
    for (uint8_t& b : out) b = static_cast<uint8_t>(random_());
    return out;
  }

  void change(Bytes& input) {
    if (input.empty()) return input.push_back(byte());
    const size_t at = below(input.size()), run = 1 + below(std::min<size_t>(16, input.size() - at));
    const auto from = input.begin() + static_cast<std::ptrdiff_t>(at);
    const auto to = from + static_cast<std::ptrdiff_t>(run);
    switch (below(6)) {
      case 0:
        input[at] = byte();
        return;
      case 1:
        input[at] ^= static_cast<uint8_t>(1u << below(8));
        return;
      case 2:
        input.erase(from, to);
        return;
      case 3: {
        const Bytes again(from, to);
        input.insert(from, again.begin(), again.end());
        return;
      }
      case 4:
        input.resize(at);
        return;
      default:
        input.insert(from, byte());
        return;
    }
  }

  const std::vector<Seed>& seeds_;
  std::mt19937 random_{kSeed};
};

/// The seeds as they are, then what they miss: null when it is nothing.
const char* run_seeds(const std::vector<Seed>& seeds) {
  for (const Seed& seed : seeds) run(seed);
  return missed_by_seeds != nullptr ? missed_by_seeds(seeds.size()) : nullptr;
}

void run_made(const std::vector<Seed>& seeds, long inputs) {
  Mutator mutator(seeds);
  for (long i = 1; i <= inputs; ++i) {
    run("input " + std::to_string(i) + ", made from the seeds,", mutator.next());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const long inputs = argc > 1 ? std::atol(argv[1]) : 0;
  if (inputs <= 0) {
    refuse(std::string("usage: ") + argv[0] +
           " INPUTS [FILE-OR-FOLDER ...] [-- FILE-OR-FOLDER ...]");
  }
  std::signal(SIGABRT, on_abort);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(tell_finding);
  const std::span<char*> names(argv + 2, argv + argc);
  const auto dashes = std::ranges::find(names, std::string_view("--"));
  std::vector<Seed> seeds = read_seeds({names.begin(), dashes});
  if (const char* missed = run_seeds(seeds)) {
    std::cerr << "the seeds do not reach " << missed << '\n';
    return 1;
  }
  if (dashes != names.end()) {
    for (const Seed& found : read_seeds({dashes + 1, names.end()})) {
      run(found);
      seeds.push_back(found);
    }
  }
  run_made(seeds, inputs);
  std::cout << "figures: " << seeds.size() << " seeds and " << inputs << " inputs";
  if (test::places_reached() != 0) std::cout << " reach " << test::places_reached() << " places";
  std::cout << "\n1 passed, 0 failed" << std::endl;
  return 0;
}
