// Spread, machine and mixes, see measure.h.
#include "tools/bench/measure.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <json/writer.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <x86intrin.h>

namespace wirelay::bench {

namespace {

/// The value behind "key : value" in a file of /proc.
std::string proc_value(const char* file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    const size_t value = line.find_first_not_of(" \t", line.find(':') + 1);
    return value == line.npos ? "" : line.substr(value);
  }
  return "";
}

double measure_tsc_hz() {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const uint64_t first = __rdtsc();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const uint64_t last = __rdtsc();
  const std::chrono::duration<double> passed = Clock::now() - begin;
  return static_cast<double>(last - first) / passed.count();
}

uint32_t number_of(const std::string& text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw std::invalid_argument("\"" + text + "\" is no number");
  }
  return number;
}

}  // namespace

Quartiles quartiles_of(std::vector<double> values) {
  std::ranges::sort(values);
  return {values[values.size() / 4], values[values.size() / 2], values[values.size() * 3 / 4]};
}

Json::Value to_json(const Quartiles& quartiles) {
  Json::Value value;
  value["low"] = quartiles.low;
  value["median"] = quartiles.median;
  value["high"] = quartiles.high;
  return value;
}

double tsc_hz() {
  static const double hz = measure_tsc_hz();
  return hz;
}

Json::Value describe_machine() {
  Json::Value machine;
  utsname system{};
  uname(&system);
  machine["processor"] = proc_value("/proc/cpuinfo", "model name");
  machine["cores"] = Json::Int64{sysconf(_SC_NPROCESSORS_ONLN)};
  machine["l2_bytes"] = Json::Int64{sysconf(_SC_LEVEL2_CACHE_SIZE)};
  machine["l3_bytes"] = Json::Int64{sysconf(_SC_LEVEL3_CACHE_SIZE)};
  machine["memory"] = proc_value("/proc/meminfo", "MemTotal");
  machine["kernel"] = std::string(system.sysname) + ' ' + system.release;
  machine["compiler"] = __VERSION__;
  machine["tsc_hz"] = tsc_hz();
  double load[1] = {0};
  getloadavg(load, 1);
  machine["load_average"] = load[0];
  return machine;
}

void print_json(const Json::Value& report) {
  Json::StreamWriterBuilder writer;
  writer["indentation"] = " ";
  writer["precision"] = 6;
  std::cout << Json::writeString(writer, report) << '\n';
}

Mix make_mix(const std::string& name, size_t packets) {
  if (name != "IMIX") return {name, std::vector<uint32_t>(packets, number_of(name))};
  Mix mix{name, {}};
  for (size_t i = 0; i < packets; ++i) {
    const size_t place = i * 100 / packets;
    mix.lengths.push_back(place < 58 ? 64 : place < 91 ? 576 : 1420);
  }
  std::shuffle(mix.lengths.begin(), mix.lengths.end(), std::mt19937_64(1));
  return mix;
}

std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> words;
  std::istringstream in(list);
  for (std::string word; std::getline(in, word, ',');) words.push_back(word);
  if (words.empty()) throw std::invalid_argument("a list must not be empty");
  return words;
}

std::vector<uint32_t> numbers_of(const std::string& list) {
  std::vector<uint32_t> numbers;
  for (const std::string& word : words_of(list)) numbers.push_back(number_of(word));
  return numbers;
}

}  // namespace wirelay::bench
