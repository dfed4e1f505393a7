// Runs a fuzz target for a bounded number of inputs without libFuzzer, so that the unit tests do it
// with any compiler, with and without sanitizers:
//
//   fuzz_rpc_bounded INPUTS [FILE-OR-FOLDER ...]
//
// The files are seeds: each is run as it is, then inputs are made from them and from noise. The
// same inputs every time; a target that finds something aborts, and the input's number is printed
// before. Who wants coverage to lead the way uses libFuzzer (README.md).
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kSeed = 20240229;
constexpr size_t kLongestNoise = 2000;

volatile std::sig_atomic_t current_input = 0;

void tell_input(int) {
  std::string text = "input " + std::to_string(current_input) + " is a finding\n";
  static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
  std::_Exit(1);
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

std::vector<Bytes> read_seeds(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 2; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      files.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  std::vector<Bytes> seeds;
  for (const auto& file : files) seeds.push_back(read_file(file));
  return seeds;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Bytes>& seeds) : seeds_(seeds) {}

  Bytes next() {
    Bytes input = seeds_.empty() || below(8) == 0 ? noise() : seeds_[below(seeds_.size())];
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

  const std::vector<Bytes>& seeds_;
  std::mt19937 random_{kSeed};
};

}  // namespace

int main(int argc, char** argv) {
  const long inputs = argc > 1 ? std::atol(argv[1]) : 0;
  if (inputs <= 0) {
    std::cerr << "usage: " << argv[0] << " INPUTS [FILE-OR-FOLDER ...]\n";
    return 2;
  }
  std::signal(SIGABRT, tell_input);
  const std::vector<Bytes> seeds = read_seeds(argc, argv);
  for (const Bytes& seed : seeds) LLVMFuzzerTestOneInput(seed.data(), seed.size());
  Mutator mutator(seeds);
  for (long i = 1; i <= inputs; ++i) {
    current_input = static_cast<std::sig_atomic_t>(i);
    const Bytes input = mutator.next();
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::cout << seeds.size() << " seeds and " << inputs << " inputs\n1 passed, 0 failed"
            << std::endl;
  return 0;
}
