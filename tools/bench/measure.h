// What all benchmarks share: the spread of repeated figures, the machine they were measured on, and
// the mixes of packet sizes. Figures are judged within one run: what is compared takes turns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <json/value.h>

namespace wirelay::bench {

struct Quartiles {
  double low = 0, median = 0, high = 0;
};

/// Of at least one value.
Quartiles quartiles_of(std::vector<double> values);
/// {"low", "median", "high"}
Json::Value to_json(const Quartiles& quartiles);

/// Processor, caches, kernel, compiler, time-stamp counter, and how busy the machine is just now.
Json::Value describe_machine();
/// The time-stamp counter's frequency, measured once against the system's clock.
double tsc_hz();

/// One document for programs, on standard output.
void print_json(const Json::Value& report);

/// A mix of traffic: its name and the length of each packet, in the order in which they come.
struct Mix {
  std::string name;
  std::vector<uint32_t> lengths;
};
/// `name`: bytes, or "IMIX" for 58 % of 64, 33 % of 576 and 8 % of 1,420 bytes in a random order
/// that is the same each time. Throws std::invalid_argument for anything else.
Mix make_mix(const std::string& name, size_t packets);

/// "1,8,32" as numbers, "64,IMIX" as words. Throws std::invalid_argument.
std::vector<uint32_t> numbers_of(const std::string& list);
std::vector<std::string> words_of(const std::string& list);

}  // namespace wirelay::bench
